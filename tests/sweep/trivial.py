"""A worker whose trials take no time: ``python -m tests.sweep.trivial STORAGE STUDY``.

Everything of the sweep is as always; the run of a trial is replaced by its cost.
"""

import os
import sys
import time

from maxexp.sweep import trial, worker
from maxexp.sweep.limits import judge


def carry_out(self: trial.TrialRun) -> tuple[str, None, list[float]]:
    config = self._plan.compose(*self._overrides[len(self._plan.overrides) :])
    verdict = judge(config, [])
    self._note(verdict)
    return "complete", None, [verdict.costs[name] for name in self._plan.settings.objectives]


def work(url: str, name: str, threads: int | None, cwd: str) -> tuple[int, float]:
    """As the workers of :mod:`maxexp.sweep.launchers`; returns trials and seconds."""
    os.chdir(cwd)
    trial.TrialRun._carry_out = carry_out  # type: ignore[method-assign]
    begin = time.monotonic()
    return worker.work(url, name, threads), time.monotonic() - begin


if __name__ == "__main__":
    print(*work(sys.argv[1], sys.argv[2], 1, os.getcwd()))
