"""Going on with an interrupted run, under the configuration that it began with."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maxexp.base.errors import ConfigError
from maxexp.run.composition import described_network
from maxexp.run.config import read_yaml
from maxexp.run.execution import carry_out, finish_message, resumption
from maxexp.schema.config import Config
from maxexp.schema.identity import ABSENT, Identity
from maxexp.schema.repeat import key_of
from maxexp.schema.roles import changes_result
from maxexp.tracking.artifacts import RESOLVED
from maxexp.tracking.record import RunRecord
from maxexp.training.config import Precision


def resume_run(given: Config, run_id: str, overrides: Sequence[str], folder: Path) -> None:
    """Continue an interrupted run.

    Args:
        given: configuration of this command.
        run_id: the run's id, or the beginning of it.
        overrides: what the user typed; it must agree with the interrupted run. Places may be others now.

    Raises:
        ConfigError: the user asks for something else than the interrupted run did.
        TrackingError: there is no such run, it has finished, or it is still running.
    """
    record = RunRecord.resume(given.tracking, run_id)
    config = read_yaml(record.download_artifact(RESOLVED))
    typed = [key_of(override) for override in overrides]
    config = replace(config, tracking=given.tracking)
    _check_same(record, Identity.of(given), config, typed)
    for key in typed:
        if not changes_result(key):
            config = _taken_over(config, given, key.split("."))
    began = record.tags().get("train.precision")
    if began is not None:
        # "auto" may be another on this machine.
        config = replace(config, trainer=replace(config.trainer, precision=Precision[began]))
    network = described_network(config)
    with record:
        record.set_tags(resumption())
        carry_out(config, network, record, folder)
    finish_message(record)


def _taken_over(config: Any, given: Any, names: Sequence[str]) -> Any:
    """A configuration with the value that another one has at a place."""
    name, *inner = names
    value = getattr(given, name)
    return replace(config, **{name: _taken_over(getattr(config, name), value, inner) if inner else value})


def _check_same(record: RunRecord, given: Identity, config: Config, typed: Sequence[str]) -> None:
    """Refuse to resume a run as another experiment: by what the user typed, or by code that gives other results.

    Args:
        given: of this command; a preset that was typed stands for all its keys.
        config: of the run.
    """
    began = Identity.of(config)
    for key in typed:
        for name in given.differing(began):
            if key == "experiment" or name == key or name.startswith(f"{key}."):
                now, then = given.params.get(name, ABSENT), began.params.get(name, ABSENT)
                raise ConfigError(
                    f"{name}={now}: run {record.run_id} began with {then}; a resumed run keeps its configuration, so "
                    "leave this out or start a new run"
                )
    results = Identity.recorded({}, {}, record.tags()).results
    if results != given.results:
        raise ConfigError(
            f"run {record.run_id} began with version {results} of results, this code has version {given.results}, "
            "whose results differ: start a new run"
        )
