"""A worker whose trials take no time: ``python -m tests.sweep.trivial STORAGE STUDY [SECONDS]``.

Everything of the sweep is as always; the run of a trial is replaced by its cost.
"""

import sys
import time

from maxexp.sweep import trial, worker
from maxexp.sweep.limits import judge


def carry_out(self: trial.TrialRun) -> tuple[str, None, list[float]]:
    time.sleep(PAUSE_S)
    config = self._plan.compose(*self._overrides[len(self._plan.overrides) :])
    verdict = judge(config, [])
    self._note(verdict)
    return "complete", None, [verdict.costs[name] for name in self._plan.settings.objectives]


PAUSE_S = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0

if __name__ == "__main__":
    trial.TrialRun._carry_out = carry_out
    begin = time.monotonic()
    done = worker.work(sys.argv[1], sys.argv[2])
    print(done, time.monotonic() - begin)
