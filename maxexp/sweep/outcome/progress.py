"""How far a study is, how long it will take, and what the sweep itself costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from optuna.trial import FrozenTrial

from maxexp.sweep.workers.attributes import LOST, OVERHEAD, TOTAL, WORKER
from maxexp.sweep.workers.results import OUTCOMES, Result
from maxexp.sweep.workers.study import SweepStudy
from maxexp.tracking.owner import possibly_alive

INTERRUPTED = "interrupted"


def progress_line(study: SweepStudy, found: Sequence[Result]) -> str:
    """Trials of each outcome, the time left, the sweep's own time per trial."""
    total = study.attribute(TOTAL) or study.plan.settings.trials
    done = sum(r.outcome in OUTCOMES and r.outcome != "failed" for r in found)
    left = interrupted(study)
    counted = [replace(r, outcome=INTERRUPTED) if r.number in left else r for r in found]
    kinds = [f"{n} {o}" for o in (*OUTCOMES, "running", INTERRUPTED) if (n := sum(r.outcome == o for r in counted))]
    parts = [f"{done} of {total} trials ({', '.join(kinds) or 'none begun'})"]
    if remaining := time_left(counted, total - done, datetime.now()):
        then = ", then the second phase" if study.plan.settings.final else ""
        parts.append(f"about {remaining} left{then}")
    elif done < total and not any(r.outcome == "running" for r in counted):
        parts.append("nobody works on it")
    overheads = [t.user_attrs[OVERHEAD] for t in study.trials() if OVERHEAD in t.user_attrs]
    if overheads:
        parts.append(f"the sweep itself takes {median(overheads):.2f} s per trial")
    return "; ".join(parts)


def interrupted(study: SweepStudy) -> set[int]:
    """Numbers of trials that were begun and that nobody works on; they go on when the sweep does.

    Their worker gave them back, or was a process of this machine that has ended.
    """
    return {t.number for t in study.trials() if _given_back(t) or _left_behind(t)}


def _given_back(trial: FrozenTrial) -> bool:
    return trial.state.name == "WAITING" and LOST in trial.user_attrs


def _left_behind(trial: FrozenTrial) -> bool:
    worker = trial.user_attrs.get(WORKER)
    return trial.state.name == "RUNNING" and worker is not None and not possibly_alive(worker)


def time_left(found: Sequence[Result], missing: int, now: datetime) -> timedelta | None:
    """Estimates from the mean duration of finished trials and those that run now; None where nothing can be said."""
    seconds = [r.seconds for r in found if r.seconds is not None and r.outcome in OUTCOMES]
    running = [r for r in found if r.outcome == "running"]
    if not seconds or missing <= 0 or not running:
        return None
    mean = sum(seconds) / len(seconds)
    spent = sum(min((now - r.started).total_seconds(), mean) for r in running if r.started)
    return timedelta(seconds=round(max(missing * mean - spent, 0.0) / len(running)))
