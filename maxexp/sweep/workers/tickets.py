"""The leader's work on a study: tickets for trials to come, trials of dead workers, the decision to stop."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from math import isfinite

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial

from maxexp.sweep.search.repeats import repeats
from maxexp.sweep.search.sampling import frozen, traits
from maxexp.sweep.search.space import Value
from maxexp.sweep.workers.attributes import BEAT, LOST, NO_TRIAL, OUTCOME, REASON, RETRY_OF, STOPPED, TOTAL, WORKER
from maxexp.sweep.workers.liveness import Watch
from maxexp.sweep.workers.study import SweepStudy, counts, point_of

QUEUE = 64
"""Tickets that wait at most: enough for the workers of many machines, few enough to be read quickly."""


class Tickets:
    """Keeps the queue of one study.

    Args:
        points: the points of the study, beside the baseline, where they are given beforehand; None: the sampler
            draws them.
    """

    def __init__(self, study: SweepStudy, points: Iterable[Mapping[str, Value]] | None = None) -> None:
        settings = study.plan.settings
        self._study = study
        self._settings = settings
        self._watch = Watch(settings.grace_s)
        if points is None and not traits(settings.sampler).draws:
            points = study.plan.space.points()
        first = [study.plan.baseline] if study.plan.baseline else []
        every = (repeat for point in (*first, *(points or ())) for repeat in repeats(study.plan.space, point))
        self._points = {frozen(point): point for point in every}
        self._drawn = points is None
        self._failed_before = {t.number for t in study.trials() if t.state.name == "FAIL"}
        self._withdraw_outdated()
        self._study.study.set_user_attr(STOPPED, None)
        self._study.study.set_user_attr(TOTAL, self._total(study.trials()))
        if not study.over():
            self._retry()

    def update(self) -> None:
        """Makes and withdraws tickets, as many as are due now."""
        trials = self._study.trials()
        if self._release(trials):
            trials = self._study.trials()
        if reason := self._repeated_failure(trials):
            self._study.study.set_user_attr(STOPPED, reason)
            return
        total = self._total(trials)
        if total != self._study.attribute(TOTAL):
            self._study.study.set_user_attr(TOTAL, total)
        self._fill(trials, total)

    def _total(self, trials: list[FrozenTrial]) -> int:
        """Trials that the study will have, without those that failed; a finite space has no more than its points.

        What failed under an earlier command is tried again, and so counts.
        """
        ended = [t for t in trials if t.state.name == "FAIL" and t.number not in self._failed_before]
        failed = {frozen(point_of(t)) for t in ended if t.user_attrs.get(OUTCOME) == "failed"}
        others = {frozen(point_of(t)) for t in trials if t.state.name != "FAIL"}
        lost = failed - others
        if not self._drawn:
            # A second phase may have trials from when the Pareto set was another one.
            return len((set(self._points) | others) - lost)
        size = self._study.plan.space.size
        return min(self._settings.trials, int(size) - len(lost)) if isfinite(size) else self._settings.trials

    def _fill(self, trials: list[FrozenTrial], total: int) -> None:
        """Makes tickets for trials that are missing, and withdraws those that are too many."""
        waiting = [t for t in trials if t.state.name == "WAITING"]
        running = sum(t.state.name == "RUNNING" for t in trials)
        wanted = max(total - running - sum(map(counts, trials)), 0)
        for point in itertools.islice(self._new_points(trials), max(min(wanted, QUEUE) - len(waiting), 0)):
            self._study.study.enqueue_trial(point)
        # What has a point was begun, or is to be tried again: it stays before what is yet to be drawn.
        keep = sorted(waiting, key=lambda ticket: (not point_of(ticket), ticket.number))
        for ticket in keep[wanted:]:
            self._study.withdraw(ticket)

    def _withdraw_outdated(self) -> None:
        """Withdraws tickets of a second phase whose Pareto set has changed, unless someone has started them."""
        for trial in self._study.trials():
            if trial.state.name == "WAITING" and LOST not in trial.user_attrs and not self._wanted(point_of(trial)):
                self._study.withdraw(trial)

    def _wanted(self, point: Mapping[str, Value]) -> bool:
        """Tells whether a point would be tried today."""
        return self._drawn or frozen(point) in self._points

    def _new_points(self, trials: list[FrozenTrial]) -> Iterator[dict[str, Value]]:
        """Points for new tickets; an empty one is left to the sampler."""
        known = {frozen(point_of(t)) for t in trials if t.user_attrs.get(OUTCOME) != "withdrawn"}
        yield from (point for key, point in self._points.items() if key not in known)
        if self._drawn:
            yield from itertools.repeat({})

    def _retry(self) -> None:
        """Retries once what failed under an earlier command: its cause may have been fixed."""
        trials = self._study.trials()
        live = {frozen(point_of(t)) for t in trials if t.state.name != "FAIL"}
        failed = (t for t in trials if t.number in self._failed_before and t.user_attrs.get(OUTCOME) not in NO_TRIAL)
        for trial in failed:
            point = point_of(trial)
            if point and self._wanted(point) and frozen(point) not in live:
                live.add(frozen(point))
                self._study.study.enqueue_trial(dict(point), user_attrs={RETRY_OF: trial.number})

    def _release(self, trials: list[FrozenTrial]) -> bool:
        """Gives the trials of dead workers back; those that lost several fail. Tells whether there were any."""
        released = False
        for trial in trials:
            attributes = trial.user_attrs
            if trial.state.name != "RUNNING" or not self._watch.dead(
                trial.number, attributes.get(WORKER), attributes.get(BEAT)
            ):
                continue
            released = True
            if attributes.get(LOST, 0) + 1 >= self._settings.attempts:
                with suppress(UpdateFinishedTrialError):  # it ended meanwhile
                    self._study.fail(trial, f"its worker died {self._settings.attempts} times")
            else:
                self._study.put_back(trial, lost=True)
        return released

    def _repeated_failure(self, trials: list[FrozenTrial]) -> str | None:
        """Returns why the sweep should stop: the latest trials failed for the same reason, if they did."""
        ended = [t for t in trials if t.state.is_finished() and t.user_attrs.get(OUTCOME) not in NO_TRIAL]
        ended = [t for t in ended if t.number not in self._failed_before]
        latest = sorted(ended, key=_end)[-self._settings.stop_after_failures :]
        causes = {_like(t.user_attrs.get(REASON, "")) for t in latest}
        if len(latest) < self._settings.stop_after_failures or len(causes) > 1:
            return None
        if any(t.state.name != "FAIL" for t in latest):
            return None
        return f"{len(latest)} trials in a row failed alike: {latest[-1].user_attrs.get(REASON, 'unknown')}"


def _end(trial: FrozenTrial) -> datetime:
    assert trial.datetime_complete is not None
    return trial.datetime_complete


def _like(reason: str) -> str:
    """A reason without what differs between like ones: numbers."""
    return re.sub(r"[\d.]+", "#", reason)
