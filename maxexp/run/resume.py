"""Going on with an interrupted run, under the configuration that it began with."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maxexp.base.errors import ConfigError
from maxexp.run.composition import described_network
from maxexp.run.config import Config, read_yaml, to_plain
from maxexp.run.execution import carry_out, finish_message, resumption
from maxexp.tracking.artifacts import RESOLVED
from maxexp.tracking.flatten import flatten
from maxexp.tracking.places import FREE
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
    run_id = record.run_id
    config = read_yaml(record.download_artifact(RESOLVED))
    typed = [override.lstrip("+~").split("=", 1)[0] for override in overrides]
    config = replace(config, tracking=given.tracking)
    _check_typed(typed, flatten(to_plain(given)), flatten(to_plain(config)), run_id)
    for key in typed:
        if key.startswith(FREE):
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


def _check_typed(typed: Sequence[str], given: dict[str, str], stored: dict[str, str], run_id: str) -> None:
    """Whatever the user typed must be as the run began, but for free keys; a preset stands for all keys."""
    for key in typed:
        for name in sorted(given.keys() | stored.keys()):
            asked = key == "experiment" or name == key or name.startswith(f"{key}.")
            now, then = given.get(name, "null"), stored.get(name, "null")
            if asked and not name.startswith(FREE) and now != then:
                raise ConfigError(
                    f"{name}={now}: run {run_id} began with {then}; a resumed run keeps its configuration, so leave "
                    "this out or start a new run"
                )
