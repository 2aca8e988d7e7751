"""How far a study is, how long it will take, and what the sweep itself costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from maxexp.sweep.attributes import OVERHEAD, TOTAL
from maxexp.sweep.results import OUTCOMES, Result
from maxexp.sweep.study import SweepStudy


def progress_line(study: SweepStudy, found: Sequence[Result]) -> str:
    """Trials of each outcome, the time left, the sweep's own time per trial."""
    total = study.attribute(TOTAL) or study.plan.settings.trials
    done = sum(r.outcome in OUTCOMES and r.outcome != "failed" for r in found)
    kinds = [f"{n} {o}" for o in (*OUTCOMES, "running") if (n := sum(r.outcome == o for r in found))]
    parts = [f"{done} of {total} trials ({', '.join(kinds) or 'none begun'})"]
    if left := time_left(found, total - done, datetime.now()):
        parts.append(f"about {left} left")
    overheads = [t.user_attrs[OVERHEAD] for t in study.trials() if OVERHEAD in t.user_attrs]
    if overheads:
        parts.append(f"the sweep itself takes {median(overheads):.2f} s per trial")
    return "; ".join(parts)


def time_left(found: Sequence[Result], missing: int, now: datetime) -> timedelta | None:
    """Estimate from the mean duration of finished trials and those that run now; None where nothing can be said."""
    seconds = [r.seconds for r in found if r.seconds is not None and r.outcome in OUTCOMES]
    running = [r for r in found if r.outcome == "running"]
    if not seconds or missing <= 0 or not running:
        return None
    mean = sum(seconds) / len(seconds)
    spent = sum(min((now - r.started).total_seconds(), mean) for r in running if r.started)
    return timedelta(seconds=round(max(missing * mean - spent, 0.0) / len(running)))
