"""A worker whose trials take no time: ``python trivial_worker.py STORAGE STUDY``.

Everything of the sweep is as always; the run of a trial is replaced by its cost.
"""

import os
import sys

from maxexp.run.composition import compose_config
from maxexp.sweep.search.limits import judge
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.workers import trial, worker


def carry_out(self: trial.TrialRun) -> tuple[str, None, list[float]]:
    """Instead of a training: what is known before it."""
    verdict = judge(compose_config(self._overrides), [])
    self._note(verdict)
    return "complete", None, [verdict.costs[name] for name in self._plan.settings.objectives]


def work(url: str, name: str, threads: int | None, plan: Plan | None, cwd: str) -> int:
    """As the workers of :mod:`maxexp.sweep.workers.launchers`; returns how many trials it has carried out."""
    os.chdir(cwd)
    trial.TrialRun._carry_out = carry_out  # type: ignore[method-assign]
    return worker.work(url, name, threads, plan)


if __name__ == "__main__":
    print(work(sys.argv[1], sys.argv[2], 1, None, os.getcwd()))
