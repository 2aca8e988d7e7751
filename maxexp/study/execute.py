"""Where the runs of a study stand, and running those that it lacks."""

import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from maxexp.base.errors import ConfigError, StudyError, TrainingError
from maxexp.base.languages.override import override_value
from maxexp.base.languages.shell import shell_command
from maxexp.base.secrets import keep
from maxexp.run.composition import compose_config
from maxexp.run.execution import resume_command
from maxexp.schema.identity import Identity
from maxexp.study.description import Study
from maxexp.study.plan import Job, make_job, overrides_of
from maxexp.study.records import Result, Results, find_recorded, result_of
from maxexp.tracking.artifacts import CHECKPOINTS
from maxexp.tracking.owner import possibly_alive
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import Store
from maxexp.training.files import RESUME_FILES

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


@dataclass(frozen=True)
class Standing:
    """One run of a study.

    Attributes:
        job: None for one that waits: its checkpoint is not known yet.
        result: of a run that is done.
        run_id: of one that is not, where the store has it.
    """

    entry: str
    seed: int
    state: State
    job: Job | None = None
    result: Result | None = None
    run_id: str | None = None


def standings(study: Study, results: Results, store: Store | None) -> Iterator[Standing]:
    """All runs of a study in their order, each looked up when it is asked for.

    So a caller who runs what is missing finds later entries ready. A finished run that only the store has is added
    to ``results.json``.

    Args:
        store: None to look into ``results.json`` alone.
    """
    for name in study.entries:
        for seed in study.seeds_of(name):
            yield stand(study, name, seed, results, store)


def stand(study: Study, name: str, seed: int, results: Results, store: Store | None) -> Standing:
    """One run; see :func:`standings`."""
    start = study.entries[name].starts_from
    earlier = stand(study, start, seed, results, store).result if start else None
    if start and earlier is None:
        return Standing(name, seed, State.waiting)
    job = make_job(study, name, seed, earlier.run_id if earlier else None)
    known = results.find(job)
    if known is None and store is not None:
        known, state, run_id = _in_store(job, store)
        if known is None:
            return Standing(name, seed, state, job, run_id=run_id)
        results.add(known)
    return Standing(name, seed, State.done if known else State.missing, job, known)


def _in_store(job: Job, store: Store) -> tuple[Result | None, State, str | None]:
    """The result of a finished run, else how far the newest one has come."""
    runs = find_recorded(store, job)
    finished = [run for run in runs if run.status == "FINISHED"]
    if finished:
        return result_of(job, finished[0]), State.done, finished[0].run_id
    if not runs:
        return None, State.missing, None
    newest = runs[0]
    if newest.status == "RUNNING" and possibly_alive(newest.tags):
        return None, State.running, newest.run_id
    return None, State.failed if newest.status == "FAILED" else State.interrupted, newest.run_id


def run_missing(
    study: Study, results: Results, store: Store, machine: Sequence[str], only: Sequence[str], again: bool = False
) -> int:
    """Runs or resumes every unfinished run, one after another; a failure does not stop the others.

    Args:
        machine: further overrides that do not change results, e.g. ``trainer.threads=1``.
        only: entries to run; all by default.
        again: whether to run anew what is done, too; the new result takes the older one's place.

    Returns:
        How many runs are not done: failed, or in the hands of another process.

    Raises:
        StudyError: ``only`` names an entry that the study does not have.
        ConfigError: ``machine`` would change a result.
    """
    if unknown := [name for name in only if name not in study.entries]:
        raise StudyError(f"--only {unknown[0]}: no such entry; there are {', '.join(study.entries)}")
    if machine:
        _refuse_changes(study, only or list(study.entries), machine)
    unfinished = 0
    for standing in standings(study, results, store):
        name, seed, job = standing.entry, standing.seed, standing.job
        if only and name not in only:
            continue
        if job is None:
            log.error("%s seed %d: %s is not done, which it starts from", name, seed, study.entries[name].starts_from)
            unfinished += 1
        elif standing.state is State.done and not again:
            log.info("%s: done", job.name)
        elif standing.state is State.running:
            # On another host: nobody here can tell whether its process lives.
            log.info(
                "%s: running; if its process has died, resume with: %s",
                job.name,
                resume_command(str(standing.run_id), str(store)),
            )
            unfinished += 1
        elif not _run(job, standing, store, machine):
            unfinished += 1
        elif (newest := _in_store(job, store)[0]) is None:
            raise StudyError(f"{job.name}: its run ended well but is not in {store} under its configuration")
        else:
            results.add(newest)
    return unfinished


def _refuse_changes(study: Study, names: Sequence[str], machine: Sequence[str]) -> None:
    """Refuses what would make an entry another run: the study would miss it, or take an older one for it."""
    for overrides in (overrides_of(study, name, seed) for name in names for seed in study.seeds_of(name)):
        asked, given = (Identity.of(compose_config(each)) for each in (overrides, [*overrides, *machine]))
        if key := asked.first_mismatch(given):
            raise ConfigError(
                f"{key}: another value changes the results; leave it out, or change study.yaml: only how the machine "
                "is used and how costs are backed can be given here"
            )


def _run(job: Job, standing: Standing, store: Store, machine: Sequence[str]) -> bool:
    arguments = [f"resume={standing.run_id}"] if _can_go_on(standing, store) else list(job.overrides)
    place = f"tracking.uri={override_value(keep(store.address))}"
    command = [sys.executable, "-m", "maxexp", *arguments, place, *machine]
    log.info("%s: %s", job.name, shell_command(["python", "-m", "maxexp", *arguments]))
    return subprocess.run(command).returncode == 0


def _can_go_on(standing: Standing, store: Store) -> bool:
    """Tells whether to resume rather than to begin anew.

    A run that has not looked at its images yet may have begun with others than ours. A failed run is worth it where
    it has trained, be it only for its later stages; but one that diverged would diverge again in its next epoch.
    """
    if standing.run_id is None or standing.job is None:
        return False
    run = read_run(store, standing.run_id)
    if standing.job.identity.data and not run.data:
        return False
    if standing.state is not State.failed:
        return standing.state is State.interrupted
    diverged = run.tags.get("error", "").startswith(TrainingError.__name__)
    return not diverged and any(PurePosixPath(path).name in RESUME_FILES for path in run.artifacts(CHECKPOINTS))
