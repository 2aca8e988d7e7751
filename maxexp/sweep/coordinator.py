"""A sweep from its command to its report: workers, tickets, the parent run, both phases."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path

from maxexp.base import garbage
from maxexp.base.errors import MaxexpError
from maxexp.base.languages.printable import printable
from maxexp.base.languages.shell import shell_command
from maxexp.sweep.outcome.progress import interrupted, time_left
from maxexp.sweep.outcome.record import ParentRecord
from maxexp.sweep.outcome.tables import line
from maxexp.sweep.search.config import SweepConfig
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.search.space import Value
from maxexp.sweep.workers.attributes import GIVEN_BACK, PARENT_RUN, STOPPED, TOTAL, WORKER
from maxexp.sweep.workers.launchers import Launcher, Work, launcher_class, make_launcher
from maxexp.sweep.workers.liveness import Leadership
from maxexp.sweep.workers.results import OUTCOMES, finalists, results
from maxexp.sweep.workers.share import threads_each
from maxexp.sweep.workers.storage import storage_errors, storage_failures_told
from maxexp.sweep.workers.study import SweepStudy, counts, create_final
from maxexp.sweep.workers.tickets import Tickets
from maxexp.tracking.owner import alive_on_this_host, identity, started_here

TICK_S = 0.5


class SweepError(MaxexpError):
    """A sweep that ends before all its trials are there."""


class Coordinator:
    """Runs a sweep, or takes part in one that another machine leads.

    Args:
        plan: what to do.
        name: of the study.
    """

    def __init__(self, plan: Plan, name: str) -> None:
        self._plan = plan
        self._settings = plan.settings
        self._study = SweepStudy.create(plan.settings.storage, name, plan)
        self._leadership = Leadership(self._study)
        self._record: ParentRecord | None = None
        self._open = ExitStack()

    def run(self) -> None:
        """Runs both phases, until all trials are finished.

        Raises:
            SweepError: the trials fail alike, or the workers die.
        """
        garbage.resume()
        try:
            with storage_failures_told(self._settings.storage), self._open:
                try:
                    self._run()
                finally:
                    self._leadership.give_up()
        except KeyboardInterrupt:
            print(f"maxexp: stopped; resume with the same command, or: {self._resume_command()}", file=sys.stderr)
            raise

    def _run(self) -> None:
        phases = [self._study]
        try:
            self._phase(self._study, None)
            if self._settings.final:
                phases.append(self._final())
                chosen = finalists(results(self._study), self._settings.final.most)
                self._phase(phases[1], [result.params for result in chosen])
        finally:
            if self._record and not isinstance(sys.exception(), KeyboardInterrupt):
                self._record.finish(phases)
        print(f"sweep {printable(self._study.name)}: see it with: {self._resume_command('show')}")

    def _final(self) -> SweepStudy:
        """The study of the second phase."""
        return create_final(self._study, self._plan.final())

    def _phase(self, study: SweepStudy, points: Iterable[Mapping[str, Value]] | None) -> None:
        tickets: Tickets | None = None
        seen = {result.number for result in results(study) if result.outcome in OUTCOMES}
        folder = study.folder
        work = Work(study.url, study.name, self._threads(), study.plan, folder)
        workers = make_launcher(self._settings.launcher, work)
        ended = sum(map(counts, study.trials()))
        left = len(interrupted(study))
        state = f"going on, {ended} trials ended, {left} interrupted" if ended or left else "new"
        print(
            f"sweep {printable(study.name)}: {state}, workers {self._settings.workers}, output in {folder}/",
            flush=True,
        )
        deaths = -self._settings.workers
        try:
            while True:
                if self._leadership.held():
                    if tickets is None or not self._leadership.begun(study):
                        tickets = self._lead(study, points)
                    tickets.update()
                elif not self._leadership.begun(study):
                    time.sleep(TICK_S)
                    continue
                over = study.over()
                if self._tell_news(study, seen):
                    deaths = 0
                if over:
                    break
                deaths += self._replace(workers)
                # As many as their trials may lose, for each that is wanted, without one being finished in between.
                if deaths > self._settings.attempts * self._settings.workers:
                    raise SweepError(_why_workers_end(study, folder))
                time.sleep(TICK_S)
        finally:
            workers.stop()
            with suppress(*storage_errors()):
                _give_back(study)
        if reason := study.attribute(STOPPED):
            raise SweepError(f"the sweep stopped: {reason}; mend the cause and give the same command again")

    def _lead(self, study: SweepStudy, points: Iterable[Mapping[str, Value]] | None) -> Tickets:
        """Begins to lead a phase: with the parent run, opened if this process has not yet, and with the queue."""
        if self._record is None:
            self._record = self._open.enter_context(ParentRecord.open(self._study))
        if study.attribute(PARENT_RUN) is None:
            study.study.set_user_attr(PARENT_RUN, self._record.run_id)
        tickets = Tickets(study, points)
        self._leadership.begin(study)
        return tickets

    def _replace(self, workers: Launcher) -> int:
        missing = self._settings.workers - workers.alive()
        if missing > 0:
            workers.start(missing)
        return max(missing, 0)

    def _tell_news(self, study: SweepStudy, seen: set[int]) -> bool:
        """Prints a line for each trial that ended since; tells whether one did."""
        found = results(study)
        news = [r for r in found if r.outcome in OUTCOMES and r.number not in seen]
        for result in news:
            seen.add(result.number)
        done = sum(map(counts, study.trials()))  # failed ones are tried again
        for result in news:
            print(f"trial {result.number} ({done}/{study.attribute(TOTAL)}) {line(result)}", flush=True)
        total = study.attribute(TOTAL) or 0
        if news and (remaining := time_left(found, total - done, datetime.now())):
            print(f"about {remaining} left of {printable(study.name)}", flush=True)
        if news and self._record:
            self._record.progress(study)
        return bool(news)

    def _threads(self) -> int | None:
        """Returns the CPU threads of each worker, where it works on this machine."""
        local = launcher_class(self._settings.launcher).local
        return threads_each(self._settings.workers) if local else None

    def _resume_command(self, verb: str = "resume") -> str:
        storage = self._settings.storage
        elsewhere = [] if storage == SweepConfig.storage else ["--storage", storage]
        return shell_command(["python", "-m", "maxexp.sweep", verb, self._study.name, *elsewhere])


def _why_workers_end(study: SweepStudy, folder: Path) -> str:
    left = (trial for trial in study.trials() if not trial.state.is_finished())
    reasons = [reason for trial in left if (reason := trial.user_attrs.get(GIVEN_BACK))]
    if reasons:
        return f"{reasons[-1]}; mend the cause and give the same command again, no trial is lost"
    return f"workers end without finishing a trial; see {folder}/worker-*.log"


def _give_back(study: SweepStudy) -> None:
    """Puts back the trials of workers of this machine that were stopped by force: none of them failed.

    A worker may have been a thread of this process, which is about to end.
    """
    me = identity()
    for trial in study.trials():
        owner = trial.user_attrs.get(WORKER)
        if trial.state.name != "RUNNING" or not owner or not started_here(owner):
            continue
        if owner == me or not alive_on_this_host(owner):
            study.put_back(trial, lost=False)
