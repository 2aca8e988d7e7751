"""A process that takes trials of a study until none is left: ``python -m maxexp.sweep.workers.worker STORAGE STUDY``.

The first line of its standard input is the plan as JSON, with the places of this machine.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress

from optuna.trial import Trial

from maxexp.base import this_process
from maxexp.base.exit_codes import exit_code
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.workers.attributes import OVERHEAD
from maxexp.sweep.workers.liveness import kept_alive
from maxexp.sweep.workers.storage import storage_errors, storage_failures_told
from maxexp.sweep.workers.study import SweepStudy, read_plan
from maxexp.sweep.workers.trial import PASSING, TrialRun, blameless, log_file, trial_folder
from maxexp.tracking.ending import summary
from maxexp.tracking.signals import sigterm_held, sigterm_raises

log = logging.getLogger(__name__)

POLL_S = 0.3
"""How often an idle worker looks for a trial; one may come back from a worker that died."""


def work(url: str, name: str, threads: int | None = None, plan: Plan | None = None) -> int:
    """Takes trials of a study until it is over; returns how many this process has executed.

    Args:
        url: of the storage.
        name: of the study.
        threads: CPU threads of each training; None: as the configuration says.
        plan: with this machine's places; as the study has it by default.

    Raises:
        StorageError, OutageError, DiskFullError: storage, tracking store or disk fail; a trial that was begun can be
            continued.
    """
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)  # before torch is imported
    this_process.prepare()
    done = 0
    with storage_failures_told(url):
        study = SweepStudy.open(url, name, plan)
        while not study.over():
            asked = time.monotonic()
            trial = study.claim()
            if trial is None:
                time.sleep(POLL_S)
                continue
            with kept_alive(study, trial):
                done += _execute(study, trial, asked, threads)
    return done


def _execute(study: SweepStudy, trial: Trial, asked: float, threads: int | None) -> bool:
    """Executes a trial that this process asked for at the time ``asked``; False if it repeats another."""
    try:
        if (twin := study.twin(trial)) is not None:
            study.fail(trial, f"the same parameters as trial {twin}", outcome="duplicate")
            return False
        trial.set_user_attr(OVERHEAD, round(time.monotonic() - asked, 4))
        with log_file(trial_folder(study, trial.number)):
            TrialRun(study, trial, threads).run()
    except blameless() + (KeyboardInterrupt,) as error:
        # None is a death: however often it happens, the trial can be continued.
        with suppress(*storage_errors()), sigterm_held():
            if study.owned(trial):
                study.put_back(trial, lost=False, reason=str(error) if isinstance(error, PASSING) else None)
        raise
    except Exception as error:  # as a folder that cannot be written: no death, and the next trial may have more luck
        log.exception("trial %d failed", trial.number)
        study.fail(trial, summary(error))
    return True


def main() -> int:
    """Runs as the process's entry point, which ends when its standard input is closed, that is with its parent."""
    parser = argparse.ArgumentParser(prog="python -m maxexp.sweep.workers.worker", description=__doc__)
    parser.add_argument("storage")
    parser.add_argument("study")
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    plan = read_plan(_first_line(), "standard input")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with sigterm_raises():
        return exit_code("maxexp", lambda: work(arguments.storage, arguments.study, arguments.threads, plan))


def _first_line() -> bytes:
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as unbuffered:
        return unbuffered.readline()


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # unbuffered: the interpreter must be able to end meanwhile
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
