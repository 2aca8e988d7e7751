"""What the trials of a study have come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from optuna.trial import FrozenTrial

from maxexp.report.pareto import pareto_mask
from maxexp.sweep.search.config import Direction
from maxexp.sweep.search.limits import LEAST_EXCESS
from maxexp.sweep.search.repeats import REPEAT, without_seed
from maxexp.sweep.search.sampling import frozen
from maxexp.sweep.search.space import Value
from maxexp.sweep.workers.attributes import CURVE, OUTCOME, PLACEHOLDERS, REASON, RUN, SECONDS, TESTED
from maxexp.sweep.workers.hypervolume import hypervolume
from maxexp.sweep.workers.study import SweepStudy

MINUTE = 1e-9
"""Against a division by a baseline of 0."""

OUTCOMES = ("complete", "infeasible", "pruned", "failed")
"""How a trial that counts, or failed, can end."""


@dataclass(frozen=True)
class Result:
    """One trial.

    Attributes:
        outcome: complete, infeasible, pruned, failed, duplicate, withdrawn; running or waiting.
        values: of the objectives, by metric; only measured ones.
        losses: of a complete trial, in the order of the objectives, lower is better.
        constraints: by name; above 0 is broken.
        reason: why it is not complete.
        tested: accuracies on the test split, where the trial evaluated; nothing is chosen by them.
        curve: accuracy by epoch, as text, where the sweep gives trainings up.
        baseline: whether it is the one that the others are compared with.
        spread: standard deviation of values and tested accuracies, where this is the mean of several seeds' trials.
        trials: numbers of those trials, of which ``number`` is the first; empty for a single trial.
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
    baseline: bool
    spread: Mapping[str, float] = field(default_factory=dict)
    trials: tuple[int, ...] = ()


def results(study: SweepStudy) -> list[Result]:
    """All trials of a study, by number."""
    plan = study.plan
    baseline = frozen(plan.baseline) if plan.baseline else None
    return [_result(trial, plan.settings.objectives, baseline) for trial in study.trials()]


def averaged(found: Sequence[Result]) -> list[Result]:
    """Returns the complete trials, those that differ by their repeats' seed alone as one: the mean, with the
    spread."""
    alike: dict[tuple, list[Result]] = {}
    for result in found:
        if result.losses is not None:
            alike.setdefault(frozen(without_seed(result.params)), []).append(result)
    return [_mean(group) if REPEAT in group[0].params else group[0] for group in alike.values()]


def _mean(group: Sequence[Result]) -> Result:
    """One network's trials with several seeds as one result."""
    measured = [{**result.tested, **result.values} for result in group]
    shared = [name for name in measured[0] if all(name in each for each in measured)]
    figures = {name: [each[name] for each in measured] for name in shared}
    means = {name: float(np.mean(values)) for name, values in figures.items()}
    return replace(
        group[0],
        params=without_seed(group[0].params),
        values={name: means[name] for name in group[0].values},
        tested={name: means[name] for name in group[0].tested if name in means},
        losses=tuple(map(float, np.mean([result.losses or () for result in group], axis=0))),
        spread={name: float(np.std(values, ddof=1)) for name, values in figures.items() if len(group) > 1},
        trials=tuple(result.number for result in group),
    )


def pareto_set(found: Sequence[Result]) -> list[Result]:
    """Returns the complete trials that no other dominates, the best in the first objective first; of equal ones the
    first.

    Of repeated trainings their mean takes part.
    """
    complete = averaged(found)
    if not complete:
        return []
    losses = np.array([result.losses for result in complete])
    best = [result for result, keep in zip(complete, pareto_mask(losses), strict=True) if keep]
    first: dict[tuple[float, ...] | None, Result] = {}
    for result in best:
        first.setdefault(result.losses, result)
    return sorted(first.values(), key=lambda result: result.losses or ())


def finalists(found: Sequence[Result], most: int | None) -> list[Result]:
    """Returns the trials of the second phase: at most ``most`` of the Pareto set, spread evenly along it, both ends
    included.

    Only those that are at least as good as the baseline in the first objective; all, where none is.
    """
    front = pareto_set(found)
    least = next((r.losses[0] for r in found if r.baseline and r.losses), np.inf)
    chosen = [r for r in front if r.losses and r.losses[0] <= least and not r.baseline] or front
    if most is None or len(chosen) <= most:
        return chosen
    return [chosen[round(i)] for i in np.linspace(0, len(chosen) - 1, most)]


def hypervolume_history(found: Sequence[Result]) -> list[tuple[int, float]]:
    """Returns the hypervolume after each complete trial, in the order in which they ended.

    As a share of the box between the best and the worst value of each objective among all complete trials, so it
    is comparable within a study only.
    """
    complete = sorted((r for r in found if r.losses is not None and r.ended), key=lambda r: r.ended or datetime.min)
    if not complete:
        return []
    losses = np.array([result.losses for result in complete])
    span = losses.max(0) - losses.min(0)
    losses = (losses - losses.min(0)) / np.where(span > 0, span, 1.0)
    front = np.empty((0, losses.shape[1]))
    history: list[tuple[int, float]] = []
    for count, point in enumerate(losses, 1):
        front = np.vstack([front, point])
        front = front[pareto_mask(front)]
        history.append((count, hypervolume(front, np.ones(front.shape[1]))))
    return history


def behind_baseline(study: SweepStudy, params: Mapping[str, Value], value: float) -> float:
    """Returns how much worse a value of the first objective is than the baseline's, relative to it; else 0 or less.

    As long as the baseline is not finished every other is a little behind it.
    """
    if study.plan.baseline and frozen(without_seed(params)) == frozen(study.plan.baseline):
        return 0.0
    finished = (r for r in results(study) if r.baseline and r.losses)
    least = next((r.losses[0] for r in finished if r.losses), None)
    if least is None:
        return LEAST_EXCESS
    direction = next(iter(study.plan.settings.objectives.values()))
    loss = value if direction is Direction.minimize else -value
    return (loss - least) / max(abs(least), MINUTE)


def _result(trial: FrozenTrial, objectives: Mapping[str, Direction], baseline: tuple | None) -> Result:
    attributes = trial.user_attrs
    ended = trial.state.is_finished()
    outcome = attributes.get(OUTCOME, trial.state.name.lower()) if ended else trial.state.name.lower()
    missing = attributes.get(PLACEHOLDERS, ())
    values = dict(zip(objectives, trial.values or (), strict=False))
    signs = [1.0 if direction is Direction.minimize else -1.0 for direction in objectives.values()]
    complete = outcome == "complete"
    return Result(
        number=trial.number,
        outcome=outcome,
        params=trial.params,
        values={name: value for name, value in values.items() if name not in missing},
        losses=tuple(s * v for s, v in zip(signs, values.values(), strict=True)) if complete else None,
        constraints=trial.constraints,
        reason=attributes.get(REASON),
        run_id=attributes.get(RUN),
        seconds=attributes.get(SECONDS),
        started=trial.datetime_start,
        ended=trial.datetime_complete if ended else None,
        tested=attributes.get(TESTED, {}),
        curve=attributes.get(CURVE, {}),
        baseline=frozen(without_seed(trial.params)) == baseline,
    )
