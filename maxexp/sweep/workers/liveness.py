"""Who is alive: workers and leaders send heartbeats, and others see when they stop.

The leader is one of the processes that were given the same command: it alone makes tickets and keeps the record.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from optuna.trial import Trial

from maxexp.sweep.workers.attributes import BEAT, BEGUN, LEADER
from maxexp.sweep.workers.storage import storage_lock
from maxexp.sweep.workers.study import SweepStudy
from maxexp.tracking.owner import alive_on_this_host, identity, started_here

RENEW_S = 5.0
SETTLE_S = 0.5
"""Time after which two that took the role in the same instant see who has it."""
BEATS_PER_GRACE = 4
"""Signs of life within the time after which a worker counts as dead."""


class Heartbeat:
    """Sends heartbeats from a thread of its own, whatever the process waits for.

    Args:
        beat: gives the sign.
    """

    def __init__(self, beat: Callable[[], None], every_s: float) -> None:
        self._beat = beat
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the heartbeats; without effect if they have started."""
        if self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stops the heartbeats; without effect if they have stopped."""
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            # One that could not be given is no reason to end the work.
            with suppress(Exception):
                self._beat()


@contextmanager
def kept_alive(study: SweepStudy, trial: Trial) -> Iterator[None]:
    """Gives signs of life for a trial that this process works on, for those on other machines."""

    def beat() -> None:
        study.storage.set_trial_user_attr(trial._trial_id, BEAT, time.time())

    heartbeat = Heartbeat(beat, study.plan.settings.grace_s / BEATS_PER_GRACE)
    heartbeat.start()
    try:
        yield
    finally:
        heartbeat.stop()


class Watch:
    """Tells who is dead: at once on this machine, after a time without a heartbeat elsewhere."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._seen: dict[Hashable, tuple[Any, float]] = {}

    def dead(self, who: Hashable, owner: Mapping[str, Any] | None, sign: Any) -> bool:
        """Tells whether the process ``owner`` is dead.

        Args:
            who: what it works on.
            owner: its identity; None if it died before it could write that.
            sign: changes as long as it lives.
        """
        if owner and started_here(owner):
            return not alive_on_this_host(owner)
        now = time.monotonic()
        mark = (owner, sign)
        last, since = self._seen.setdefault(who, (mark, now))
        if last != mark:
            self._seen[who] = (mark, now)
            return False
        return now - since > self._grace_s


class Leadership:
    """This process's claim to lead the sweep."""

    def __init__(self, study: SweepStudy) -> None:
        self._study = study
        self._me = identity()
        self._watch = Watch(study.plan.settings.grace_s)
        self._heartbeat = Heartbeat(self._renew, RENEW_S)

    def held(self) -> bool:
        """Tells whether this process leads; takes the lead if nobody has it."""
        current = self._study.attribute(LEADER)
        if self._mine(current):
            self._heartbeat.start()
            return True
        self._heartbeat.stop()
        if current and not self._watch.dead(LEADER, current, current.get(BEAT)):
            return False
        with storage_lock(self._study.url):
            if self._study.attribute(LEADER) != current:
                return False
            self._write()
        time.sleep(SETTLE_S)
        return self._mine(self._study.attribute(LEADER))

    def give_up(self) -> None:
        """Leaves the lead to others."""
        self._heartbeat.stop()
        if self._mine(self._study.attribute(LEADER)):
            self._study.study.set_user_attr(LEADER, None)

    def begin(self, phase: SweepStudy) -> None:
        """Tells the others that this process has begun to lead a phase."""
        phase.study.set_user_attr(BEGUN, self._me)

    def begun(self, phase: SweepStudy) -> bool:
        """Tells whether who leads now has begun to lead a phase."""
        return _same(self._study.attribute(LEADER), phase.attribute(BEGUN))

    def _mine(self, leader: Mapping[str, Any] | None) -> bool:
        return _same(leader, self._me)

    def _renew(self) -> None:
        if self._mine(self._study.attribute(LEADER)):
            self._write()

    def _write(self) -> None:
        self._study.study.set_user_attr(LEADER, {**self._me, BEAT: time.time()})


def _same(leader: Mapping[str, Any] | None, process: Mapping[str, Any] | None) -> bool:
    return bool(leader and process and all(leader.get(key) == value for key, value in process.items()))
