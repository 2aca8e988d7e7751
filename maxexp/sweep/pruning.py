"""Giving up trainings that will not be among the best, with one objective or several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from maxexp.sweep.config import PruningConfig


@dataclass(frozen=True)
class Rival:
    """Another trial: its costs known before training (lower is better), and its curve by epoch."""

    costs: Mapping[str, float]
    curve: Mapping[int, float]


def hopeless(
    config: PruningConfig, costs: Mapping[str, float], curve: Mapping[int, float], others: Iterable[Rival]
) -> bool:
    """Whether a training should be given up after the latest epoch of its curve.

    It is compared, at this epoch, with the trials that cost no more than it in each of ``costs``: if half of those
    (or another percentile) had done better by now, it would hardly end on the Pareto front. Trials that cost more
    say nothing about it.

    Args:
        costs: by objective, lower is better.
        curve: by epoch, counted from 0, higher is better.
    """
    epoch = max(curve)
    if epoch + 1 <= config.warmup_epochs:
        return False
    rivals = [
        _best_until(epoch, other.curve)
        for other in others
        if epoch in other.curve and all(other.costs.get(key, np.inf) <= cost for key, cost in costs.items())
    ]
    if len(rivals) < config.rivals:
        return False
    return _best_until(epoch, curve) < float(np.percentile(rivals, config.percentile))


def _best_until(epoch: int, curve: Mapping[int, float]) -> float:
    return max(value for step, value in curve.items() if step <= epoch)
