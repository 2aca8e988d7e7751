"""Runs that are read: those of other processes, finished or not."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from maxexp.base.errors import FormatError, TrackingError
from maxexp.base.languages.mlflow_search import equals
from maxexp.base.languages.printable import printable
from maxexp.base.yaml_file import read_yaml
from maxexp.tracking.artifacts import OVERRIDES
from maxexp.tracking.store import Store
from maxexp.tracking.text import one_line

if TYPE_CHECKING:
    from mlflow.entities import Run

THREADS = "train.threads"
"""Tag of a run that trained: how many CPU threads it had, whoever decided that."""
RESTORED = "restored.run"
"""Tag of a run that repeats the figures of another store's; its value is the id of the latter."""
RESTORED_COMMAND = "restored.command"
"""Tag of such a run: the other's command line, which it has no artifact for."""

_BEGINNING = re.compile("[0-9a-f]{6,31}")
"""Of a run's id, as tables show it."""


@dataclass(frozen=True)
class RecordedRun:
    """What the store held of a run when it was asked.

    Attributes:
        status: as MLflow has it: RUNNING, FINISHED, FAILED or KILLED.
        params: the flattened configuration.
        metrics: the latest value of each.
        data: digest of each data set that it used, by name.
        deleted: whether it was deleted; MLflow keeps such runs until they are collected.
    """

    run_id: str
    name: str
    experiment_id: str
    status: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    data: Mapping[str, str]
    deleted: bool
    _artifact_uri: str = field(repr=False)
    _store: Store = field(repr=False)

    @property
    def threads(self) -> int | None:
        """Returns the CPU threads of its training, where it has one."""
        text = self.tags.get(THREADS, "")
        return int(text) if re.fullmatch("[0-9]{1,6}", text) else None

    @property
    def link(self) -> str | None:
        """Its page in the MLflow UI, where the store is a server."""
        if not self._store.uri.startswith("http"):
            return None
        return f"{self._store}/#/experiments/{self.experiment_id}/runs/{self.run_id}"

    def history(self, key: str) -> list[tuple[int, float]]:
        """Points (step, value) of a metric. Raises TrackingError if the store fails."""
        client = self._store.client
        points = self._store.ask(
            f"read {key} of run {self.run_id}", lambda: client.get_metric_history(self.run_id, key)
        )
        return [(point.step, point.value) for point in points]

    def artifacts(self, folder: str) -> list[str]:
        """Paths of the files in a folder of artifacts; none where there is no such folder."""
        client = self._store.client
        found = self._store.ask(
            f"list {folder} of run {self.run_id}", lambda: client.list_artifacts(self.run_id, folder)
        )
        return [entry.path for entry in found if not entry.is_dir]

    def artifact(self, path: str) -> Path:
        """Returns the local path of an artifact, fetched first if the store is remote.

        Raises:
            TrackingError: the run has no such artifact, or the store fails.
        """
        from mlflow.artifacts import download_artifacts

        local = urlparse(self._artifact_uri).scheme in ("", "file")
        target = None if local else str(_fetched() / self.run_id / PurePosixPath(path).parent)
        # By address: by id MLflow reads the run three times from the store before it opens a file.
        address = f"{self._artifact_uri}/{path}"
        fetched = self._store.ask(
            f"fetch artifact {path} of run {self.run_id}",
            lambda: download_artifacts(artifact_uri=address, dst_path=target, tracking_uri=self._store.uri),
        )
        return Path(fetched)

    def overrides(self) -> list[str]:
        """Returns what the user typed after ``python -m maxexp``.

        Raises:
            TrackingError: it was not recorded, or is damaged, or the store fails.
        """
        try:
            words = read_yaml(self.artifact(OVERRIDES)) or []
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise FormatError("it is no list of texts")
        except FormatError as error:
            raise TrackingError(f"run {self.run_id}: its artifact {OVERRIDES} is damaged: {error}") from error
        return words


@cache
def _fetched() -> Path:
    """Returns the folder of what is fetched from remote stores; it goes with this process."""
    folder = tempfile.mkdtemp(prefix="maxexp-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def read_run(store: Store, run_id: str) -> RecordedRun:
    """One run, by its id or the beginning of it.

    Raises:
        TrackingError: there is no such run, several begin so, or the store fails.
    """
    run_id = resolve_run_id(store, run_id)
    return recorded(store, store.ask(f"read run {run_id}", lambda: store.client.get_run(run_id)))


def resolve_run_id(store: Store, run_id: str) -> str:
    """The id of the only run whose id begins so; any other text as it is.

    Raises:
        TrackingError: no run's id or several begin so, or the store fails.
    """
    if not _BEGINNING.fullmatch(run_id):
        return run_id
    found = sorted(run.run_id for run in find_runs(store, f"attributes.run_id LIKE '{run_id}%'"))
    if len(found) > 1:
        raise TrackingError(f"{run_id} is ambiguous, it begins the ids {', '.join(found)}; give more of it")
    if not found:
        raise TrackingError(f"no run that is left in {store} has an id that begins with {run_id}")
    return found[0]


def recorded(store: Store, run: Run) -> RecordedRun:
    """A run as MLflow hands it out."""
    info, data = run.info, run.data
    name = printable(info.run_name or info.run_id)
    used = {entry.dataset.name: entry.dataset.digest for entry in (run.inputs.dataset_inputs if run.inputs else [])}
    return RecordedRun(
        info.run_id,
        name,
        info.experiment_id,
        info.status,
        data.params,
        data.metrics,
        data.tags,
        used,
        info.lifecycle_stage == "deleted",
        info.artifact_uri,
        store,
    )


def find_runs(store: Store, query: str) -> list[RecordedRun]:
    """Runs of all experiments that match MLflow's search syntax, the newest first.

    Raises:
        TrackingError: the query is not valid, or the store fails.
    """
    _check_query(query)
    client = store.client

    def search() -> list[RecordedRun]:
        return _search(store, [experiment.experiment_id for experiment in client.search_experiments()], query)

    return store.ask(f"search runs with {query!r}", search)


def _check_query(query: str) -> None:
    """Has MLflow's own parser read a query, before the store is asked."""
    from mlflow.exceptions import MlflowException
    from mlflow.utils.search_utils import SearchUtils

    try:
        SearchUtils.parse_search_filter(query)
    except MlflowException as error:
        raise TrackingError(
            f"the filter {query!r} is not in MLflow's search syntax: {one_line(error)}; write conditions such as "
            "tags.model = 'nascifarnet' and metrics.`hw/latency_us` < 5000"
        ) from error


def find_restored(store: Store, run_id: str) -> list[RecordedRun]:
    """Runs that repeat the figures of a run of another store. Raises TrackingError if the store fails."""
    found = find_runs(store, equals(f"tags.`{RESTORED}`", run_id))
    return [run for run in found if run.tags[RESTORED] == run_id]


def find_tagged_runs(store: Store, experiment: str, tags: Mapping[str, str]) -> list[RecordedRun]:
    """All runs of an experiment that have these tags, the newest first.

    Raises:
        TrackingError: the store fails.
    """
    condition = " AND ".join(equals(f"tags.`{key}`", value) for key, value in tags.items())
    experiment_id = store.experiment_id(experiment)
    found = store.ask(f"search runs of experiment {experiment!r}", lambda: _search(store, [experiment_id], condition))
    return [run for run in found if all(run.tags.get(key) == value for key, value in tags.items())]


def _search(store: Store, experiments: list[str], query: str) -> list[RecordedRun]:
    """All pages of an answer."""
    found, token = [], None
    while token != "":
        page = store.client.search_runs(experiments, query, max_results=1000, page_token=token)
        found += [recorded(store, run) for run in page]
        token = page.token or ""
    return found
