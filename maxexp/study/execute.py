"""Running what a study lacks."""

import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from enum import Enum

from maxexp.errors import StudyError
from maxexp.study.description import Study
from maxexp.study.plan import Job, make_job
from maxexp.study.records import Result, Results, find_recorded, result_of
from maxexp.tracking.owner import may_live
from maxexp.tracking.reading import RecordedRun
from maxexp.tracking.store import Store

log = logging.getLogger(__name__)


class State(Enum):
    """Where a run of a study stands."""

    done = "done"
    running = "running"
    interrupted = "interrupted"
    failed = "failed"
    missing = "missing"
    waiting = "waiting"
    """Its network comes from another run, which is not done."""


def jobs(study: Study, results: Results, store: Store) -> Iterator[tuple[str, int, Job | None]]:
    """Entry, seed and run in their order; None for a run whose starting point is not there yet.

    Looked up one after another, so that a caller who runs what is missing finds later entries ready.
    """
    for name, entry in study.entries.items():
        for seed in entry.seeds:
            start = entry.starts_from
            if start is None:
                yield name, seed, make_job(study, name, seed, None)
                continue
            earlier = done(study, start, seed, results, store)
            yield name, seed, make_job(study, name, seed, earlier.run_id) if earlier else None


def done(study: Study, name: str, seed: int, results: Results, store: Store) -> Result | None:
    """The result of an entry and seed, if there is one: from ``results.json``, else from the store."""
    start = study.entries[name].starts_from
    earlier = done(study, start, seed, results, store) if start else None
    if start and not earlier:
        return None
    job = make_job(study, name, seed, earlier.run_id if earlier else None)
    return look_up(job, results, store)


def look_up(job: Job, results: Results, store: Store) -> Result | None:
    """A finished run of a job; one that only the store has is added to ``results.json``."""
    known = results.find(job)
    if known is None:
        finished = [run for run in find_recorded(store, job) if run.status == "FINISHED"]
        if finished:
            known = result_of(job, finished[0])
            results.add(known)
    return known


def state(job: Job, results: Results, store: Store) -> tuple[State, RecordedRun | None]:
    """Where a job stands, and its run in the store if it has an unfinished one."""
    if look_up(job, results, store):
        return State.done, None
    for run in find_recorded(store, job):
        if run.status == "RUNNING" and may_live(run.tags):
            return State.running, run
        return (State.failed if run.status == "FAILED" else State.interrupted), run
    return State.missing, None


def run_missing(study: Study, results: Results, store: Store, machine: Sequence[str], only: Sequence[str]) -> int:
    """Run or resume whatever is not done, one after another; a failure does not stop the others.

    Args:
        machine: further overrides that do not change results, e.g. ``trainer.threads=1``.
        only: entries to run; all by default.

    Returns:
        How many runs failed.
    """
    failures = 0
    for name, seed, job in jobs(study, results, store):
        if only and name not in only:
            continue
        if job is None:
            log.error("%s seed %d: %s is not done, which it starts from", name, seed, study.entries[name].starts_from)
            failures += 1
            continue
        stands, unfinished = state(job, results, store)
        if stands in (State.done, State.running):
            log.info("%s: %s", job.name, stands.value)
            continue
        resume = unfinished if stands is State.interrupted else None
        if not _run(job, resume, store, machine):
            failures += 1
        elif look_up(job, results, store) is None:
            raise StudyError(f"{job.name}: its run ended well but is not in {store} under its configuration")
    return failures


def _run(job: Job, unfinished: RecordedRun | None, store: Store, machine: Sequence[str]) -> bool:
    arguments = [f"resume={unfinished.run_id}"] if unfinished else list(job.overrides)
    command = [sys.executable, "-m", "maxexp", *arguments, f"tracking.uri={store.uri}", *machine]
    log.info("%s: %s", job.name, " ".join(["python -m maxexp", *arguments]))
    return subprocess.run(command).returncode == 0
