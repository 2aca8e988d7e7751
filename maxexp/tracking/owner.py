"""The process that a run belongs to, and what to do with runs whose process died without a word."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from maxexp.base.languages.mlflow_search import equals

if TYPE_CHECKING:
    import psutil
    from mlflow.tracking import MlflowClient

HOST = "maxexp.host"
PID = "maxexp.pid"
PROCESS_STARTED = "maxexp.process_started"
"""In seconds since 1970, which is another number whenever the clock has been set."""
PROCESS_TICKS = "maxexp.process_ticks"
"""Boot of the machine and clock ticks from it to the start of the process; on Linux only."""
NAMESPACE = "maxexp.pid_namespace"
"""In which the pid counts: a container has its own, whatever its host name; on Linux only."""
OWNER_TAGS = (HOST, PID, PROCESS_STARTED, PROCESS_TICKS, NAMESPACE)
KILLED_REASON = "killed.reason"

# Without ticks: start times are recomputed from the clock, which may have been set in between.
_CLOCK_TOLERANCE_S = 2.0

_START_FIELD = 22 - 3
"""The 22nd of proc(5), after the two that are cut off; counted from 0."""


def identity() -> dict[str, str]:
    """Returns the tags by which a run names its process: host, pid and the start; the same as long as it lives."""
    return dict(_identity(os.getpid()))


@cache
def _identity(pid: int) -> dict[str, str]:
    import psutil

    started = psutil.Process(pid).create_time()
    tags = {HOST: platform.node(), PID: str(pid), PROCESS_STARTED: f"{started:.2f}"}
    further = {PROCESS_TICKS: _ticks(pid), NAMESPACE: _namespace()}
    return tags | {key: value for key, value in further.items() if value}


def started_here(tags: Mapping[str, str]) -> bool:
    """Returns whether a process of this host and pid namespace wrote the tags, so that one can tell if it lives."""
    return tags.get(HOST) == platform.node() and tags.get(NAMESPACE) == _namespace()


def alive_on_this_host(tags: Mapping[str, str]) -> bool:
    """Returns whether the process that the tags of a run name is alive on this host.

    The start of the process tells it from a later one that was given the same pid.
    """
    import psutil

    if not started_here(tags) or PID not in tags or PROCESS_STARTED not in tags:
        return False
    try:
        process = psutil.Process(int(tags[PID]))
        return process.status() != psutil.STATUS_ZOMBIE and _has_started(process, tags)
    except (psutil.NoSuchProcess, ValueError):
        return False


def _has_started(process: psutil.Process, tags: Mapping[str, str]) -> bool:
    """Returns whether a process started when the tags say; by its ticks, where the system has them."""
    if PROCESS_TICKS in tags and (ticks := _ticks(process.pid)):
        return tags[PROCESS_TICKS] == ticks
    return abs(process.create_time() - float(tags[PROCESS_STARTED])) < _CLOCK_TOLERANCE_S


def _ticks(pid: int) -> str | None:
    """Returns the start of a process as no setting of the clock changes it; None where the system does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The name of the program comes before, in parentheses, and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return f"{boot}/{fields[_START_FIELD]}"


def _namespace() -> str | None:
    """Returns the pid namespace of this process; None where the system has none."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def possibly_alive(tags: Mapping[str, str]) -> bool:
    """Returns whether a run's process is alive here, or elsewhere, of which nobody here can tell."""
    return not started_here(tags) or alive_on_this_host(tags)


def close_abandoned_runs(client: MlflowClient, experiment_id: str) -> None:
    """Sets to KILLED what claims to be running but was started here by a process that is dead."""
    claims = f"attributes.status = 'RUNNING' AND {equals(f'tags.`{HOST}`', platform.node())}"
    for run in client.search_runs([experiment_id], claims):
        if not possibly_alive(run.data.tags):
            reason = f"process {run.data.tags.get(PID)} ended without closing the run"
            client.set_tag(run.info.run_id, KILLED_REASON, reason)
            client.set_terminated(run.info.run_id, "KILLED")
