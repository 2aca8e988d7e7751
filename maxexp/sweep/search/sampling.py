"""Samplers of Optuna by configuration, made to draw no point twice."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from maxexp.base.errors import MaxexpError
from maxexp.sweep.search.config import CmaesConfig, GpConfig, NsgaiiConfig, SamplerConfig, TpeConfig
from maxexp.sweep.search.space import Parameter, Space, Value

ATTEMPTS = 4
"""Draws of the sampler itself before another point is taken at random."""

LISTED = 20_000
"""Spaces of up to so many points are listed to find the ones that are left."""


class ExhaustedError(MaxexpError):
    """Every point of the space has been drawn."""


def make_sampler(config: SamplerConfig, space: Space, number: int) -> BaseSampler:
    """The sampler for one trial.

    Its seed comes from the configured one and the trial's number: a sweep that goes on does not repeat the draws
    of its first trials, and workers do not repeat one another's.
    """
    seed = int.from_bytes(hashlib.sha256(f"{config.seed}/{number}".encode()).digest()[:4], "big")
    conditional = any(p.only_if for p in space.parameters)
    if isinstance(config, TpeConfig):
        return TPESampler(
            seed=seed,
            n_startup_trials=config.startup_trials,
            n_ei_candidates=config.candidates,
            multivariate=True,
            group=conditional,
        )
    if isinstance(config, NsgaiiConfig):
        return NSGAIISampler(
            seed=seed,
            population_size=config.population_size,
            mutation_prob=config.mutation_probability,
            crossover_prob=config.crossover_probability,
            swapping_prob=config.swapping_probability,
        )
    if isinstance(config, GpConfig):
        return GPSampler(
            seed=seed,
            n_startup_trials=config.startup_trials,
            deterministic_objective=config.deterministic,
            independent_sampler=RandomSampler(seed),
            warn_independent_sampling=False,
        )
    if isinstance(config, CmaesConfig):
        return CmaEsSampler(
            seed=seed,
            n_startup_trials=config.startup_trials,
            sigma0=config.sigma,
            popsize=config.population_size,
            independent_sampler=RandomSampler(seed),
            warn_independent_sampling=False,
        )
    return RandomSampler(seed)


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
