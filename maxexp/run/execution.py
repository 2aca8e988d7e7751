"""One run inside its record: prepared, opened, carried out, summed up, closed."""

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import yaml

from maxexp.base import garbage
from maxexp.base.disk import writing
from maxexp.base.errors import DeviceError, DiskFullError, MaxexpError, OutageError
from maxexp.base.languages.override import override_value
from maxexp.base.languages.shell import shell_command
from maxexp.base.secrets import address_without_secrets, values_without_secrets
from maxexp.chip.check import check_fit
from maxexp.quantization.config import Method
from maxexp.report.summary import print_results, result_rows, results_markdown
from maxexp.run.config import to_yaml
from maxexp.run.pipeline import Pipeline, prepare
from maxexp.run.spec import RunSpec
from maxexp.run.without_effect import without_effect
from maxexp.schema.config import Config, to_plain
from maxexp.schema.repeat import CONFIG_DIRS, key_of
from maxexp.schema.roles import changes_result
from maxexp.tracking.artifacts import CONFIGURATION, OVERRIDES, RESOLVED
from maxexp.tracking.flatten import masked
from maxexp.tracking.provenance import environment_files, provenance
from maxexp.tracking.record import RunRecord
from maxexp.tracking.text import storable

log = logging.getLogger(__name__)

LONGEST_NAME = 120


def new_run(config: Config, overrides: Sequence[str], folder: Path, searchpath: Sequence[str] = ()) -> str:
    """Executes a configuration in a record of its own; a run that is refused before its first stage leaves none.

    Args:
        overrides: what the user typed.
        folder: local folder of the run.
        searchpath: further configuration folders, as ``--config-dir`` names them.

    Returns:
        The run's id.

    Raises:
        MaxexpError: the run is refused, or fails.
    """
    tell_without_effect(config, overrides)
    pipeline = prepare(config, folder)
    if pipeline.spec.method is Method.float and not config.checkpoint:
        _warn_of_no_fit(pipeline.spec)
    record = start_record(config, overrides, searchpath=searchpath)
    with record:
        log_configuration(record, config, overrides)
        execute(pipeline, record)
    finish_message(record)
    return record.run_id


def tell_without_effect(config: Config, overrides: Sequence[str]) -> None:
    """Warns of what was typed and does nothing."""
    for sentence in without_effect(config, overrides):
        log.warning(sentence)


def _warn_of_no_fit(spec: RunSpec) -> None:
    """Warns where a network that stays in floating point could not be quantized for the chip later."""
    try:
        check_fit(spec.network, dict(spec.bits), spec.config.device.part)
    except DeviceError as error:
        log.warning("this network would not run on %s: %s", spec.config.device.name, error)


def start_record(
    config: Config,
    overrides: Sequence[str],
    tags: Mapping[str, str] | None = None,
    name: str | None = None,
    patient: bool = False,
    searchpath: Sequence[str] = (),
) -> RunRecord:
    """Creates the run, with all that is known of it before it begins.

    Args:
        tags: further ones.
        name: instead of the one made from the overrides.
        patient: whether to wait for a tracking store that does not answer.
        searchpath: further configuration folders, as ``--config-dir`` names them.
    """
    known = {
        **_provenance(),
        "model": config.model.name,
        "dataset": config.dataset.name,
        "quantization": config.quantization.method.name,
        **({CONFIG_DIRS: json.dumps(list(searchpath))} if searchpath else {}),
        **(tags or {}),
    }
    name = name or run_name(config, overrides)
    return RunRecord.start(config.tracking, name, known, masked(to_plain(config)), patient)


def log_configuration(record: RunRecord, config: Config, overrides: Sequence[str], environment: bool = True) -> None:
    """Stores the configuration, what the user typed of it, and the environment."""
    record.log_text(to_yaml(config), RESOLVED)
    record.log_text(yaml.safe_dump(values_without_secrets(list(overrides))), OVERRIDES)
    for file, text in (_environment_files() if environment else {}).items():
        record.log_text(storable(text), f"{CONFIGURATION}/{file}")


# The code of a process is what it has imported: later changes of the checkout are not of its runs.
@cache
def _provenance() -> dict[str, str]:
    return provenance()


def resumption() -> dict[str, str]:
    """Returns the tags of a run that this process resumes: the code may have changed since it began."""
    return {f"resumed.{key}": value for key, value in _provenance().items() if "git." in key}


@cache
def _environment_files() -> dict[str, str]:
    return environment_files()


def run_name(config: Config, overrides: Sequence[str]) -> str:
    """Returns the run's name: model, data set and quantization, then the single keys that the user set."""
    name = f"{config.model.name}-{config.dataset.name}-{config.quantization.method.name}"
    typed = {o.lstrip("+~"): key_of(o) for o in overrides}
    single = [o for o, key in typed.items() if ("." in key or key == "seed") and changes_result(key)]
    return " ".join([name, *single])[:LONGEST_NAME]


def execute(pipeline: Pipeline, record: RunRecord) -> None:
    """Runs a pipeline within an open record and sums its results up."""
    from maxexp.report.run_page import write_summary

    garbage.resume()
    log.info("run %s in %s", record.run_id, record.place)
    with writing("files of the run to", pipeline.folder):
        pipeline.folder.mkdir(parents=True, exist_ok=True)
        _run_stages(pipeline, record)
    write_summary(record)


def _run_stages(pipeline: Pipeline, record: RunRecord) -> None:
    config = pipeline.spec.config
    title = f"{pipeline.spec.network.name} on {config.dataset.name}"
    try:
        pipeline.run(record)
    except (KeyboardInterrupt, DiskFullError, OutageError):
        print(f"maxexp: stopped; resume with: {resume_command(record.run_id, config.tracking.uri)}", file=sys.stderr)
        raise
    except MaxexpError:
        # The stages before the one that failed have left results all the same.
        with suppress(MaxexpError, OSError):
            _show_results(record, title)
        raise
    _show_results(record, title)


def resume_command(run_id: str, uri: str | None) -> str:
    """Returns the shell command that resumes an interrupted run."""
    words = ["python", "-m", "maxexp", f"resume={run_id}"]
    place = [f"tracking.uri={override_value(address_without_secrets(uri))}"] if uri else []
    return shell_command([*words, *place])


def _show_results(record: RunRecord, title: str) -> None:
    """Shows what the record holds by now, on the terminal and in the run's description."""
    rows = result_rows(record.metrics(), record.tags())
    if rows:
        record.describe(results_markdown(rows))
        print_results(title, rows)


def finish_message(record: RunRecord) -> None:
    """Says where the results are, once the record is closed."""
    if record.uri.startswith("http"):
        place = f"{record.place}/#/experiments/{record.experiment_id}/runs/{record.run_id}"
        print(f"run {record.run_id}\nopen it at: {place}")
    else:
        # With the path of this Python: its environment need not be activated.
        command = [sys.executable, "-m", "maxexp.ui", "--tracking-uri", record.place]
        print(f"run {record.run_id}\nopen it: {shell_command(command)}")
