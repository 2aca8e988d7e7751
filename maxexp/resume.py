"""Going on with an interrupted run, under the configuration that it began with."""

from collections.abc import Sequence
from pathlib import Path

from maxexp.composition import described_network
from maxexp.config import Config, read_yaml, to_plain
from maxexp.errors import ConfigError
from maxexp.execution import carry_out, finish_message, resumption
from maxexp.tracking.flatten import flatten
from maxexp.tracking.record import RunRecord

FREE = {"dataset": ("root", "cache_dir", "download"), "trainer": ("progress", "threads")}
"""Keys that may be given anew: where the data are and how the machine is used."""


def resume_run(given: Config, run_id: str, overrides: Sequence[str], folder: Path) -> None:
    """Continue the run ``run_id``.

    Args:
        given: configuration of this command.
        overrides: what the user typed; it must agree with the interrupted run.

    Raises:
        ConfigError: the user asks for something else than the interrupted run did.
        TrackingError: there is no such run, it has finished, or it is still running.
    """
    record = RunRecord.resume(given.tracking, run_id)
    config = read_yaml(record.download_artifact("config/resolved.yaml"))
    typed = [override.lstrip("+~").split("=", 1)[0] for override in overrides]
    for group, keys in FREE.items():
        for key in keys:
            if f"{group}.{key}" in typed:
                setattr(getattr(config, group), key, getattr(getattr(given, group), key))
    config.resume, config.tracking = run_id, given.tracking
    _check_typed(typed, flatten(to_plain(given)), flatten(to_plain(config)), run_id)
    network = described_network(config)
    with record:
        record.set_tags(resumption())
        carry_out(config, network, record, folder)
    finish_message(record)


def _check_typed(typed: Sequence[str], given: dict[str, str], stored: dict[str, str], run_id: str) -> None:
    """Whatever the user typed must be as the run began; a preset stands for all keys."""
    for key in typed:
        for name in sorted(given.keys() | stored.keys()):
            asked = key == "experiment" or name == key or name.startswith(f"{key}.")
            if asked and given.get(name) != stored.get(name):
                raise ConfigError(
                    f"{name}={given.get(name, 'null')}: run {run_id} began with {stored.get(name, 'null')}; a "
                    "resumed run keeps its configuration, so leave this out or start a new run"
                )
