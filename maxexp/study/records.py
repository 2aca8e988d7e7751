"""The runs that a study has: in the tracking store, and in its committed ``results.json``."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from maxexp.base.errors import FormatError, StudyError, TrackingError
from maxexp.base.json_file import read_json
from maxexp.base.languages.mlflow_search import equals
from maxexp.base.languages.shell import shell_command
from maxexp.schema.identity import Identity
from maxexp.schema.repeat import repeat_command
from maxexp.study.plan import Job
from maxexp.study.result import Result
from maxexp.tracking.metrics import CURVES
from maxexp.tracking.provenance import RESULTS_TAG
from maxexp.tracking.reading import RESTORED, RecordedRun, find_runs, read_run
from maxexp.tracking.store import Store
from maxexp.tracking.sweep_tags import stopped_early

RESULTS = "results.json"
KEPT_TAGS = (
    "maxexp.version",
    RESULTS_TAG,
    "mlflow.source.git.commit",
    "git.dirty",
    "model",
    "dataset",
    "hw.source",
    "quantization",
    "weight_bits",
    "cpu",
    "cores",
    "python",
    "version.torch",
)


class Results:
    """``results.json`` of a study; every change is on disk before the next run begins.

    Raises:
        StudyError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            content = read_json(path) if path.is_file() else []
            if not isinstance(content, list):
                raise FormatError("it is no list of results")
            self._all = [Result.from_plain(entry) for entry in content]
        except FormatError as error:
            raise StudyError(
                f"{path} is damaged: {error}; restore it, or remove it: what the tracking store has comes back"
            ) from error

    @property
    def all(self) -> list[Result]:
        """Every result, by entry and seed."""
        return list(self._all)

    @property
    def files(self) -> list[Path]:
        """The file, if there is one."""
        return [self._path] if self._path.is_file() else []

    def find(self, job: Job) -> Result | None:
        """The result of a job, if it is here under the same configuration, images and version of results."""
        for result in self._all:
            mine = (result.entry, result.seed) == (job.entry, job.seed)
            if mine and _answers(result, job):
                return result
        return None

    def add(self, result: Result) -> None:
        """Keeps a result, in place of an older one of the same entry and seed."""
        key = (result.entry, result.seed)
        self._all = [other for other in self._all if (other.entry, other.seed) != key] + [result]
        self._all.sort(key=lambda entry: (entry.entry, entry.seed))
        partial = self._path.with_name(self._path.name + ".part")
        partial.write_text(json.dumps([asdict(entry) for entry in self._all], indent=1, sort_keys=True) + "\n")
        os.replace(partial, self._path)


def find_recorded(store: Store, job: Job) -> list[RecordedRun]:
    """Runs of the store under the job's configuration, images and version of results, the newest first.

    Runs that a sweep stopped early are left out: they have finished, but are not trained to their end. So are
    restored ones, which have no network.
    """
    telling = ("model.name", "dataset.name", "seed", "trainer.max_epochs")
    query = " and ".join(equals(f"params.`{key}`", job.identity.params[key]) for key in telling)
    runs = find_runs(store, query)
    return [run for run in runs if _answers(run, job) and not stopped_early(run.tags) and RESTORED not in run.tags]


def result_of(job: Job, run: RecordedRun) -> Result:
    """Returns what is kept of a finished run."""
    curves = {metric.key: run.history(metric.key) for metric in CURVES}
    metrics = {key: value for key, value in run.metrics.items() if not key.startswith("system/")}
    return Result(
        job.entry,
        job.seed,
        _command(job, run),
        run.run_id,
        run.params,
        metrics,
        {key: run.tags[key] for key in KEPT_TAGS if key in run.tags},
        run.data,
        {key: points for key, points in curves.items() if points},
    )


def _command(job: Job, run: RecordedRun) -> str:
    """Returns what was typed, with all that the caller of the study added to it."""
    try:
        return repeat_command(run)
    except TrackingError:
        return shell_command(["python", "-m", "maxexp", *job.overrides])


def deleted(results: Iterable[Result], store: Store) -> set[str]:
    """Ids of runs that the store had and that were deleted there; unknown ones belong to another store."""
    found = set()
    for result in results:
        with suppress(TrackingError):
            if read_run(store, result.run_id).deleted:
                found.add(result.run_id)
    return found


def _answers(found: Result | RecordedRun, job: Job) -> bool:
    return job.identity.first_mismatch(Identity.recorded(found.params, found.data, found.tags)) is None
