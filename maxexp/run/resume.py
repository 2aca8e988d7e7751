"""Going on with an interrupted run, under the configuration that it began with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from maxexp.base.errors import ConfigError
from maxexp.run.config import read_yaml
from maxexp.run.execution import execute, finish_message, resumption
from maxexp.run.pipeline import prepare
from maxexp.schema.config import Config, to_plain
from maxexp.schema.identity import ABSENT, Identity
from maxexp.schema.repeat import key_of
from maxexp.schema.roles import changes_result, declared_keys
from maxexp.tracking.artifacts import RESOLVED
from maxexp.tracking.flatten import flatten
from maxexp.tracking.record import RunRecord
from maxexp.training.config import Precision

_LASTING = ("tracking.experiment", "tracking.run_name")
"""Places that a run keeps: it is found there."""


def resume_run(given: Config, run_id: str, overrides: Sequence[str], folder: Path) -> None:
    """Continues an interrupted run.

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
    _check_same(record, Identity.of(given), config, [key_of(override) for override in overrides])
    config = replace(config, tracking=replace(config.tracking, uri=given.tracking.uri))
    for key in _places_typed(overrides):
        config = _taken_over(config, given, key, record.run_id)
    began = record.tags().get("train.precision")
    if began is not None:
        # "auto" may be another on this machine.
        config = replace(config, trainer=replace(config.trainer, precision=Precision[began]))
    record.configure(config.tracking)
    # Whoever finds by then that it cannot go on leaves the run as it was.
    pipeline = prepare(config, folder, record.snapshot())
    with record:
        record.set_tags(resumption())
        execute(pipeline, record)
    finish_message(record)


def _places_typed(overrides: Iterable[str]) -> list[str]:
    """The keys that the user gave a value, of those that change no result; what a preset or a group says is not."""
    typed: list[str] = []
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        value = None if override.is_delete() else override.value()
        if isinstance(value, Mapping):
            typed += flatten({override.key_or_group: value})
        elif not is_dataclass(_kind(override.key_or_group)):
            typed.append(override.key_or_group)
    return [key for key in typed if key != "resume" and not changes_result(key)]


def _kind(key: str) -> Any:
    declared = declared_keys().get(key)
    return declared.kind if declared else None


def _taken_over(config: Config, given: Config, key: str, run_id: str) -> Config:
    """A configuration with the value that another one has for a key.

    Raises:
        ConfigError: the run keeps what it has there, or has no such group.
    """
    known, wanted = flatten(to_plain(config)), flatten(to_plain(given))
    if key in _LASTING and known[key] != wanted[key]:
        raise ConfigError(
            f"{key}={wanted[key]}: run {run_id} has {known[key]}, and a resumed run keeps it; leave this out, or "
            "start a new run"
        )
    group = key.rpartition(".")[0]
    if known.get(group) == ABSENT:
        raise ConfigError(f"{key}: run {run_id} began without {group}, so this has no effect; leave it out")
    return _with_value(config, given, key.split("."))


def _with_value(config: Any, given: Any, names: Sequence[str]) -> Any:
    name, *inner = names
    value = getattr(given, name)
    return replace(config, **{name: _with_value(getattr(config, name), value, inner) if inner else value})


def _check_same(record: RunRecord, given: Identity, config: Config, typed: Sequence[str]) -> None:
    """Refuses to resume a run as another experiment: by what the user typed, or by code that gives other results.

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
