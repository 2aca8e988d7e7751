"""Giving up trainings that will not be among the best, with one objective or several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from maxexp.sweep.search.config import PruningConfig
from maxexp.tracking.metrics import METRICS


@dataclass(frozen=True)
class Rival:
    """Another trial.

    Attributes:
        costs: known before training; lower is better.
        curve: the metric by epoch.
        qat_epoch: the first quantization-aware one, once there is one.
    """

    costs: Mapping[str, float]
    curve: Mapping[int, float]
    qat_epoch: int | None = None


def hopeless(
    config: PruningConfig,
    costs: Mapping[str, float],
    curve: Mapping[int, float],
    others: Iterable[Rival],
    qat_epoch: int | None = None,
) -> bool:
    """Tells whether a training should be pruned after the latest epoch of its curve.

    It is compared, at this epoch, with the trials that cost no more than it in each of ``costs``: if half of those
    (or another percentile) had done better by now, it would hardly end on the Pareto front. Trials that cost more
    say nothing about it.

    Args:
        costs: by objective, lower is better.
        curve: the metric by epoch, counted from 0.
        qat_epoch: the first quantization-aware epoch, once there is one. From there on what floating point reached
            counts no more: the checkpoint is chosen in the last phase.
    """
    epoch, sign = max(curve), METRICS[config.metric].better
    if epoch + 1 <= config.warmup_epochs:
        return False
    rivals = [
        _best_until(epoch, sign, other.curve, other.qat_epoch)
        for other in others
        if epoch in other.curve and all(other.costs.get(key, np.inf) <= cost for key, cost in costs.items())
    ]
    if len(rivals) < config.rivals:
        return False
    return _best_until(epoch, sign, curve, qat_epoch) < float(np.percentile(rivals, config.percentile))


def _best_until(epoch: int, sign: int, curve: Mapping[int, float], qat_epoch: int | None) -> float:
    first = 0 if qat_epoch is None or epoch < qat_epoch else qat_epoch
    return max(sign * value for step, value in curve.items() if first <= step <= epoch)
