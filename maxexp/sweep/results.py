"""What the trials of a study have come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from maxexp.sweep.config import Direction
from maxexp.sweep.pareto import hypervolume, pareto_mask
from maxexp.sweep.space import Value
from maxexp.sweep.study import OUTCOME, REASON, RUN, SweepStudy
from maxexp.sweep.trial import CURVE, PLACEHOLDERS, SECONDS, TESTED

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Result:
    """One trial.

    Attributes:
        outcome: complete, infeasible, pruned, failed, duplicate; running or waiting.
        values: of the objectives, by metric; only measured ones.
        losses: of a complete trial, in the order of the objectives, lower is better.
        constraints: by name; above 0 is broken.
        reason: why it is not complete.
        tested: accuracies on the test split, where the trial evaluated; nothing is chosen by them.
        curve: accuracy by epoch, as text, where the sweep gives trainings up.
    """

    number: int
    outcome: str
    params: Mapping[str, Value]
    values: Mapping[str, float]
    losses: tuple[float, ...] | None
    constraints: Mapping[str, float]
    reason: str | None
    run_id: str | None
    seconds: float | None
    started: datetime | None
    ended: datetime | None
    tested: Mapping[str, float]
    curve: Mapping[str, float]

    def line(self) -> str:
        """One line for the terminal."""
        values = ", ".join(f"{name} {value:.6g}" for name, value in self.values.items())
        params = " ".join(f"{name}={_short(value)}" for name, value in self.params.items())
        detail = values if self.outcome == "complete" else (self.reason or "")
        return f"{self.outcome}: {detail} | {params}"


def results(study: SweepStudy) -> list[Result]:
    """All trials of a study, by number."""
    objectives = study.plan.settings.objectives
    return [_result(trial, objectives) for trial in study.trials()]


def pareto_set(found: Sequence[Result]) -> list[Result]:
    """Complete trials that no other dominates, the best in the first objective first; of equal ones the first."""
    complete = [result for result in found if result.losses is not None]
    if not complete:
        return []
    losses = np.array([result.losses for result in complete])
    best = [result for result, keep in zip(complete, pareto_mask(losses), strict=True) if keep]
    first: dict[tuple[float, ...] | None, Result] = {}
    for result in best:
        first.setdefault(result.losses, result)
    return sorted(first.values(), key=lambda result: result.losses or ())


def choose_evenly(front: Sequence[Result], most: int | None) -> list[Result]:
    """At most so many of a Pareto set, spread evenly along it, both ends included."""
    if most is None or len(front) <= most:
        return list(front)
    return [front[round(i)] for i in np.linspace(0, len(front) - 1, most)]


def hypervolume_history(found: Sequence[Result]) -> list[tuple[int, float]]:
    """Hypervolume after each complete trial, in the order in which they ended.

    The reference point is the worst value of each objective among all complete trials, so the last value is
    comparable within a study only.
    """
    complete = sorted((r for r in found if r.losses is not None and r.ended), key=lambda r: r.ended or datetime.min)
    if not complete:
        return []
    losses = np.array([result.losses for result in complete])
    reference = losses.max(0)
    front = np.empty((0, losses.shape[1]))
    history: list[tuple[int, float]] = []
    for count, point in enumerate(losses, 1):
        front = np.vstack([front, point])
        front = front[pareto_mask(front)]
        history.append((count, hypervolume(front, reference)))
    return history


def _result(trial: FrozenTrial, objectives: Mapping[str, Direction]) -> Result:
    attributes = trial.user_attrs
    ended = trial.state.is_finished()
    outcome = attributes.get(OUTCOME, trial.state.name.lower()) if ended else trial.state.name.lower()
    missing = attributes.get(PLACEHOLDERS, ())
    values = dict(zip(objectives, trial.values or (), strict=False))
    signs = [1.0 if direction is Direction.minimize else -1.0 for direction in objectives.values()]
    complete = outcome == "complete"
    return Result(
        trial.number,
        outcome,
        trial.params,
        {name: value for name, value in values.items() if name not in missing},
        tuple(s * v for s, v in zip(signs, values.values(), strict=True)) if complete else None,
        trial.constraints,
        attributes.get(REASON),
        attributes.get(RUN),
        attributes.get(SECONDS),
        trial.datetime_start,
        trial.datetime_complete if ended else None,
        attributes.get(TESTED, {}),
        attributes.get(CURVE, {}),
    )


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
