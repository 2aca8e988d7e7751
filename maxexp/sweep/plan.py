"""Everything that decides a sweep's results; it is kept in the study, so that any process can go on with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from maxexp.__main__ import conf_dir
from maxexp.config import Config, explain, to_config, to_plain
from maxexp.errors import ConfigError
from maxexp.sweep.config import SweepConfig, to_sweep_config
from maxexp.sweep.space import Space, Value

ELSEWHERE = {
    "tracking": None,
    "trainer": ("threads", "progress"),
    "dataset": ("root", "cache_dir", "download"),
}
"""Keys that may differ between the machines that work on one study."""

FREE = ("study", "storage", "dir", "trials", "workers", "launcher", "stop_after_failures", "attempts", "grace_s")
"""Settings that may change when a sweep goes on; params and when are in the space."""


@dataclass(frozen=True)
class Plan:
    """A sweep.

    Attributes:
        settings: ``hydra.sweeper``, typed.
        space: what is searched.
        overrides: of the command line and the preset, the same for each trial.
        searchpath: further configuration folders (``--config-dir``).
        command: arguments after ``python -m maxexp -m``, to go on with the sweep.
    """

    settings: SweepConfig
    space: Space
    overrides: tuple[str, ...]
    searchpath: tuple[str, ...]
    command: tuple[str, ...]

    def compose(self, *further: str) -> Config:
        """The configuration under the common overrides and further ones.

        Raises:
            ConfigError: it cannot be composed, or a value is impossible.
        """
        return self.compose_bare([*self.overrides, *further])

    def compose_bare(self, overrides: Sequence[str]) -> Config:
        """The configuration under these overrides alone. Raises ConfigError as :meth:`compose` does."""
        return _typed(_composed(self.searchpath, overrides))

    def choices(self, overrides: Sequence[str]) -> dict[str, str]:
        """The option of each configuration group under these overrides."""
        composed = _composed(self.searchpath, overrides, with_hydra=True)
        groups = {f.name for f in fields(Config)}
        return {g: option for g, option in composed.hydra.runtime.choices.items() if g in groups and option}

    def trial_overrides(self, point: dict[str, Value]) -> list[str]:
        """All overrides of one trial."""
        return [*self.overrides, *self.space.overrides(point)]

    def digest(self) -> str:
        """Short hash of what decides results: equal for equal sweeps, whatever machine and number of trials."""
        config = to_plain(self.compose_first())
        for group, keys in ELSEWHERE.items():
            for key in keys or list(config[group]):
                config[group].pop(key, None)
        settings = {k: v for k, v in to_plain(self.settings).items() if k not in (*FREE, "params", "when")}
        content = json.dumps([config, settings, self.space.to_plain()], sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()[:8]

    def compose_first(self) -> Config:
        """The configuration of one point of the space: for all that does not vary."""
        point = next(self.space.samples(), {})
        return self.compose(*self.space.overrides(point))

    def final(self) -> Plan:
        """The second phase of this plan: fixed points, under other overrides, none given up early."""
        assert self.settings.final is not None
        settings = replace(self.settings, pruning=None, final=None)
        return replace(self, settings=settings, overrides=(*self.overrides, *self.settings.final.overrides))

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "settings": to_plain(self.settings),
            "space": self.space.to_plain(),
            "overrides": list(self.overrides),
            "searchpath": list(self.searchpath),
            "command": list(self.command),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Plan:
        """What :meth:`to_plain` wrote."""
        return cls(
            to_sweep_config(plain["settings"]),
            Space.from_plain(plain["space"]),
            tuple(plain["overrides"]),
            tuple(plain["searchpath"]),
            tuple(plain["command"]),
        )


def _composed(searchpath: Sequence[str], overrides: Sequence[str], with_hydra: bool = False) -> DictConfig:
    paths = [f"hydra.searchpath=[{','.join(f'file://{path}' for path in searchpath)}]"] if searchpath else []
    try:
        # In the command's own process Hydra is up already.
        running = GlobalHydra.instance().is_initialized()
        with nullcontext() if running else initialize_config_dir(conf_dir(), version_base="1.3"):
            return compose("config", overrides=[*overrides, *paths], return_hydra_config=with_hydra)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error)) from error


def _typed(composed: DictConfig) -> Config:
    try:
        return to_config(composed)
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error)) from error
