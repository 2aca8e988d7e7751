"""Samplers by configuration, made to draw no point twice."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, BruteForceSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from maxexp.base.errors import ConfigError, MaxexpError
from maxexp.base.instantiation import TARGET, build, check_arguments
from maxexp.sweep.search.space import Parameter, Space, Value
from maxexp.tracking.text import one_line

KEY = "hydra.sweeper.sampler"
SEED_PER_TRIAL = "seed_per_trial"

ATTEMPTS = 4
"""Draws of the sampler itself before another point is taken at random."""

LISTED = 20_000
"""Spaces of up to so many points are listed to find the ones that are left."""

_ENUMERATING = (optuna.samplers.GridSampler, BruteForceSampler)
"""Samplers that end the study after their last point, which only Optuna's own loop can do."""

Chosen = Mapping[str, Any]
"""``hydra.sweeper.sampler``: a class of Optuna or of another library, and its arguments."""


class ExhaustedError(MaxexpError):
    """Every point of the space has been drawn."""


class GridSampler(RandomSampler):
    """Every point of a finite space, once; the sweep lists them, so that nothing is drawn."""

    finite_only = True
    draws = False


@dataclass(frozen=True)
class Traits:
    """What a sweep must know of a sampler's class; a class says so by attributes of these names.

    Attributes:
        finite_only: it needs a space with a finite number of points.
        draws: it draws points; otherwise all points of the space are tried.
    """

    finite_only: bool = False
    draws: bool = True


def traits(chosen: Chosen) -> Traits:
    """The traits of the class that the configuration names. Raises ConfigError if it names none."""
    found = check_arguments(KEY, _without_ours(chosen), BaseSampler)
    if found in _ENUMERATING:
        raise ConfigError(f"{KEY}.{TARGET}: {found.__name__} ends studies that it runs itself; choose sampler=grid")
    return Traits(getattr(found, "finite_only", False), getattr(found, "draws", True))


def make_sampler(chosen: Chosen, number: int) -> BaseSampler:
    """The sampler for one trial.

    Each ``seed`` of the configuration is replaced by one that comes from it and the trial's number: a sweep that is
    resumed does not repeat the draws of its first trials, and workers do not repeat one another's. Where
    ``seed_per_trial: false`` stands beside it the seed stays, for a sequence that all trials continue.

    Raises:
        ConfigError: the class refuses its arguments.
    """
    sampler: BaseSampler = build(KEY, _seeded(chosen, number), BaseSampler)
    return sampler


def check_sampler(chosen: Chosen, space: Space, directions: Sequence[StudyDirection]) -> None:
    """Draws a point for a study that is thrown away.

    Args:
        directions: of each objective.

    Raises:
        ConfigError: the sampler cannot draw from such a space, or not for so many objectives.
    """
    inner = make_sampler(chosen, 0)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=directions, sampler=DistinctSampler(inner, space, (), 0))
    try:
        study.ask({p.name: p.distribution for p in space.parameters if not p.only_if})
    except Exception as error:  # of whatever kind the class raises
        raise ConfigError(f"{KEY}: {type(inner).__name__} cannot draw: {one_line(error)}") from error


def _seeded(chosen: Chosen, number: int) -> dict[str, Any]:
    inner = {k: _seeded(v, number) if isinstance(v, Mapping) else v for k, v in _without_ours(chosen).items()}
    if chosen.get(SEED_PER_TRIAL, True) and isinstance(inner.get("seed"), int):
        digest = hashlib.sha256(f"{inner['seed']}/{number}".encode()).digest()
        inner["seed"] = int.from_bytes(digest[:4], "big")
    return inner


def _without_ours(chosen: Chosen) -> dict[str, Any]:
    return {key: value for key, value in chosen.items() if key != SEED_PER_TRIAL}


class DistinctSampler(BaseSampler):
    """Draws whole points from another sampler until one is new.

    Args:
        inner: draws.
        space: what a point consists of.
        known: points of earlier trials, finished or not, as :func:`frozen` gives them.
        seed: of the choice among the points that are left, where the inner sampler finds none.
    """

    def __init__(self, inner: BaseSampler, space: Space, known: Iterable[tuple], seed: int) -> None:
        self._inner = inner
        self._space = space
        self._known = set(known)
        self._random = random.Random(seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {p.name: p.distribution for p in self._space.parameters}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            point = self._draw(study, trial)
            if frozen(point) not in self._known:
                return point
        return self._left_over()

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._inner.before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Any) -> None:
        self._inner.after_trial(study, trial, state, values)

    def _draw(self, study: Study, trial: FrozenTrial) -> dict[str, Value]:
        relative = self._inner.sample_relative(study, trial, self._inner.infer_relative_search_space(study, trial))

        def draw(parameter: Parameter) -> Value:
            if parameter.name in relative:
                return relative[parameter.name]
            return self._inner.sample_independent(study, trial, parameter.name, parameter.distribution)

        return self._space.draw(draw)

    def _left_over(self) -> dict[str, Value]:
        if self._space.size <= LISTED:
            left = [point for point in self._space.points() if frozen(point) not in self._known]
            if not left:
                raise ExhaustedError(f"all {self._space.size} points of the search space have been tried")
            return self._random.choice(left)
        for _ in range(LISTED):
            point = self._space.draw(self._at_random)
            if frozen(point) not in self._known:
                return point
        raise ExhaustedError(f"no new point among {LISTED} draws; the search space is all but exhausted")

    def _at_random(self, parameter: Parameter) -> Value:
        if parameter.finite:
            return self._random.choice(parameter.values())
        low, high = parameter.values()
        return self._random.uniform(low, high)  # type: ignore[arg-type]


def frozen(point: Mapping[str, Value]) -> tuple:
    """A point as a key: equal for equal parameters."""
    return tuple(
        sorted((name, f"{value:.12g}" if isinstance(value, float) else repr(value)) for name, value in point.items())
    )
