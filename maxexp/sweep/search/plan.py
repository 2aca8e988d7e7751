"""Everything that decides a sweep's results; it is kept in the study, so that any process can resume it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any

from omegaconf import OmegaConf

from maxexp.base.errors import ConfigError
from maxexp.run.composition import compose_config, compose_untyped
from maxexp.run.own_images import digests_of_own_images
from maxexp.schema.config import Config, to_plain
from maxexp.schema.identity import Identity
from maxexp.sweep.search.config import SweepConfig, to_sweep_config
from maxexp.sweep.search.repeats import repeated_space
from maxexp.sweep.search.space import Parameter, Space, Value

ADJUSTABLE = (
    "study",
    "storage",
    "dir",
    "trials",
    "workers",
    "launcher",
    "stop_after_failures",
    "attempts",
    "grace_s",
    "final",
)
"""Settings that may change when a sweep goes on; another second phase begins anew, the first one stays."""

SEARCHED = ("params", "when")
"""Settings that the space has, together with what the command line adds."""


@dataclass(frozen=True)
class Plan:
    """A sweep.

    Attributes:
        settings: ``hydra.sweeper``, typed.
        space: what is searched.
        overrides: of the command line and the preset, the same for each trial.
        searchpath: further configuration folders (``--config-dir``).
        command: arguments after ``python -m maxexp -m``, to resume the sweep.
        baseline: the point that the others are compared with; None: there is none.
    """

    settings: SweepConfig
    space: Space
    overrides: tuple[str, ...]
    searchpath: tuple[str, ...]
    command: tuple[str, ...]
    baseline: Mapping[str, Value] | None = None

    def compose(self, *further: str) -> Config:
        """The configuration under the common overrides and further ones.

        Raises:
            ConfigError: it cannot be composed, or a value is impossible.
        """
        return compose_config([*self.overrides, *further], self.searchpath)

    def choices(self, overrides: Sequence[str]) -> dict[str, str]:
        """The option of each configuration group under these overrides alone."""
        composed = compose_untyped(overrides, self.searchpath, with_hydra=True)
        groups = {f.name for f in fields(Config)}
        return {g: option for g, option in composed.hydra.runtime.choices.items() if g in groups and option}

    def trial_overrides(self, point: Mapping[str, Value]) -> list[str]:
        """All overrides of one trial."""
        return [*self.overrides, *self.space.overrides(point)]

    def digest(self) -> str:
        """Returns the short hash of what decides results: equal for equal sweeps, whatever machine and number of
        trials.

        Raises:
            DataError: the user's own images are missing or corrupt.
        """
        # Of each network, recipe or other group that the space chooses from: each has files of its own.
        configs = [self.compose(*self.space.overrides(point)) for point in self.space.samples()]
        decisive = [Identity.of(config, digests_of_own_images(config)).plain() for config in configs]
        settings = {k: v for k, v in to_plain(self.settings).items() if k not in (*ADJUSTABLE, *SEARCHED)}
        content = json.dumps([decisive, settings, self.space.to_plain()], sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()[:8]

    def compose_first(self) -> Config:
        """The configuration of one point of the space: for all that does not vary."""
        return self.compose(*self.space.overrides(next(self.space.samples(), {})))

    def final(self) -> Plan:
        """The second phase of this plan: fixed points, each with all seeds, under other overrides; none is pruned."""
        assert self.settings.final is not None
        settings = replace(self.settings, pruning=None, final=None)
        space = repeated_space(self.space, self.settings.final.seeds)
        overrides = (*self.overrides, *self.settings.final.overrides)
        return replace(self, settings=settings, space=space, overrides=overrides)

    def unsearched(self) -> dict[str, Value]:
        """The point that the configuration itself has where nothing is searched.

        Raises:
            ConfigError: the search space lacks one of its values.
        """
        composed = compose_untyped(self.overrides, self.searchpath, with_hydra=True)

        def own(parameter: Parameter) -> Value:
            key = parameter.key.lstrip("+")
            value = composed.hydra.runtime.choices.get(key, OmegaConf.select(composed, key))
            value = value.name if isinstance(value, Enum) else value
            if value not in parameter:
                raise ConfigError(
                    f"hydra.sweeper.baseline: {key} is {value} in the configuration, which the search space lacks; "
                    "add it there, or set hydra.sweeper.baseline=false"
                )
            return value

        return self.space.draw(own)

    def to_plain(self) -> dict[str, Any]:
        """Returns the plan as plain values, for JSON."""
        return {
            "settings": to_plain(self.settings),
            "space": self.space.to_plain(),
            "overrides": list(self.overrides),
            "searchpath": list(self.searchpath),
            "command": list(self.command),
            "baseline": self.baseline,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Plan:
        """Returns what :meth:`to_plain` wrote. Raises errors of many kinds where it did not."""
        return cls(
            to_sweep_config(plain["settings"]),
            Space.from_plain(plain["space"]),
            _texts(plain["overrides"]),
            _texts(plain["searchpath"]),
            _texts(plain["command"]),
            None if plain["baseline"] is None else dict(plain["baseline"]),
        )


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"no list of texts: {values!r:.60}")
    return tuple(values)
