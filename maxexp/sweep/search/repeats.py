"""Several trainings of one point, that differ by their seed: what a network is worth apart from chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from optuna.distributions import CategoricalDistribution

from maxexp.sweep.search.space import Parameter, Space, Value

REPEAT = "seed [repeat]"
"""Name of the seed as a parameter of the study: not one that was searched."""


def repeated_space(space: Space, seeds: Sequence[int]) -> Space:
    """The space with the seed as its last parameter."""
    if not seeds:
        return space
    seed = Parameter(REPEAT, "seed", CategoricalDistribution(list(seeds)), {s: str(s) for s in seeds})
    return replace(space, parameters=(*space.parameters, seed))


def repeats(space: Space, point: Mapping[str, Value]) -> list[dict[str, Value]]:
    """A point with each seed of the space; as it is where there is none."""
    seeds = next((p.values() for p in space.parameters if p.name == REPEAT), None)
    return [dict(point)] if seeds is None else [{**point, REPEAT: seed} for seed in seeds]


def without_seed(point: Mapping[str, Value]) -> dict[str, Value]:
    """Returns what repeated trainings have in common."""
    return {name: value for name, value in point.items() if name != REPEAT}
