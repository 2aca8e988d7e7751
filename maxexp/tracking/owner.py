"""Which process a run belongs to, and what to do with runs whose process died without a word."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

HOST = "maxexp.host"
PID = "maxexp.pid"
PROCESS_STARTED = "maxexp.process_started"
KILLED_REASON = "killed.reason"

# The kernel's start times are recomputed from the clock, which may have been set in between.
_CLOCK_TOLERANCE_S = 2.0


def identity() -> dict[str, str]:
    """Returns the tags by which a run names its process: host, pid and the start of the process."""
    import psutil

    started = psutil.Process().create_time()
    return {HOST: platform.node(), PID: str(os.getpid()), PROCESS_STARTED: f"{started:.2f}"}


def lives_here(tags: Mapping[str, str]) -> bool:
    """Returns whether the process that the tags of a run name is alive on this host.

    The start of the process tells it from a later one that was given the same pid.
    """
    import psutil

    if tags.get(HOST) != platform.node() or PID not in tags or PROCESS_STARTED not in tags:
        return False
    try:
        process = psutil.Process(int(tags[PID]))
        age_difference = abs(process.create_time() - float(tags[PROCESS_STARTED]))
        return process.status() != psutil.STATUS_ZOMBIE and age_difference < _CLOCK_TOLERANCE_S
    except (psutil.NoSuchProcess, ValueError):
        return False


def may_live(tags: Mapping[str, str]) -> bool:
    """Returns whether a run's process is alive here, or on another host, of which nobody here can tell."""
    return tags.get(HOST) != platform.node() or lives_here(tags)


def close_abandoned_runs(client: MlflowClient, experiment_id: str) -> None:
    """Sets to KILLED what claims to be running but was started on this host by a process that is dead."""
    claims = f"attributes.status = 'RUNNING' AND tags.`{HOST}` = '{platform.node()}'"
    for run in client.search_runs([experiment_id], claims):
        if not lives_here(run.data.tags):
            reason = f"process {run.data.tags.get(PID)} ended without closing the run"
            client.set_tag(run.info.run_id, KILLED_REASON, reason)
            client.set_terminated(run.info.run_id, "KILLED")
