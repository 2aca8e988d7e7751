"""A worker whose trials take no time: ``python trivial_worker.py STORAGE STUDY``.

Everything of the sweep is as always; the run of a trial is replaced by its cost.
"""

import os
import sys

from maxexp.run.composition import compose_config
from maxexp.sweep.search.limits import judge
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.workers import trial, worker
from maxexp.sweep.workers.launchers import Work


def execute(self: trial.TrialRun) -> tuple[str, None, list[float]]:
    """Instead of a training: what is known before it."""
    verdict = judge(compose_config(self._overrides), [])
    self._note(verdict)
    return "complete", None, [verdict.costs[name] for name in self._plan.settings.objectives]


def launched(task: Work, cwd: str) -> int:
    """A worker inside of another library's process."""
    os.chdir(cwd)
    return work(task.url, task.name, task.threads, task.plan)


def work(url: str, name: str, threads: int | None = None, plan: Plan | None = None) -> int:
    """Takes trials until none is left; returns how many this process has carried out."""
    trial.TrialRun._execute = execute  # type: ignore[method-assign]
    return worker.work(url, name, threads, plan)


if __name__ == "__main__":
    print(work(sys.argv[1], sys.argv[2], 1))
