"""Each local worker's share of the machine."""

import os
import re


def threads_each(workers: int) -> int:
    """Returns the CPU threads of each of so many workers: the cores that this process may use, shared out.

    No more than OMP_NUM_THREADS allows a process, as for a single run.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = max(1, cores // workers)
    # Of a list the first number is meant; what is none, OpenMP ignores, too.
    allowed = re.match(r"[1-9]\d*", os.environ.get("OMP_NUM_THREADS", ""))
    return min(share, int(allowed[0])) if allowed else share
