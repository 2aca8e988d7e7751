"""Going on with an interrupted run, under the configuration that it began with."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from maxexp.config import Config, to_config, to_plain
from maxexp.errors import ConfigError
from maxexp.execution import carry_out, finish_message
from maxexp.network.graph import build_network
from maxexp.tracking.flatten import flatten
from maxexp.tracking.record import RunRecord

FREE = ("resume", "tracking", "trainer.progress", "trainer.threads", "dataset.root", "dataset.cache_dir")
"""Keys that may differ from those of the interrupted run: they do not change its results."""


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
    with record:
        config = _stored_config(record)
        _check_overrides(given, config, overrides)
        config.resume = run_id
        config.tracking = given.tracking
        config.trainer.progress, config.trainer.threads = given.trainer.progress, given.trainer.threads
        network = build_network(config.model, config.dataset.shape)
        carry_out(config, network, record, folder)
    finish_message(record)


def _stored_config(record: RunRecord) -> Config:
    path = record.download_artifact("config/resolved.yaml")
    return to_config(OmegaConf.merge(OmegaConf.structured(Config), OmegaConf.load(path)))


def _check_overrides(given: Config, stored: Config, overrides: Sequence[str]) -> None:
    now, then = flatten(to_plain(given)), flatten(to_plain(stored))
    for override in overrides:
        key = override.lstrip("+~").split("=", 1)[0]
        if key.startswith(FREE):
            continue
        prefix = "" if key == "experiment" else key
        for name, value in now.items():
            asked = name == prefix or name.startswith(f"{prefix}." if prefix else "")
            if asked and not name.startswith(FREE) and then.get(name) != value:
                raise ConfigError(
                    f"{name}={value}: the run {given.resume} began with {then.get(name)}; a resumed run keeps its "
                    "configuration, so leave this out or start a new run"
                )
