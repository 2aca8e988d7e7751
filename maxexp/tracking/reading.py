"""Runs that are read: those of other processes, finished or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from maxexp.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run


@dataclass(frozen=True)
class RecordedRun:
    """What the store held of a run when it was asked.

    Attributes:
        status: as MLflow has it: RUNNING, FINISHED, FAILED or KILLED.
        params: the flattened configuration.
        metrics: the latest value of each.
    """

    run_id: str
    name: str
    experiment_id: str
    status: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    _store: Store = field(repr=False)

    def history(self, key: str) -> list[tuple[int, float]]:
        """Points (step, value) of a metric. Raises TrackingError if the store fails."""
        with self._store.asked_to(f"read {key} of run {self.run_id}"):
            points = self._store.client.get_metric_history(self.run_id, key)
        return [(point.step, point.value) for point in points]

    def artifacts(self, folder: str) -> list[str]:
        """Paths of the files in a folder of artifacts; none where there is no such folder."""
        with self._store.asked_to(f"list {folder} of run {self.run_id}"):
            return [
                entry.path for entry in self._store.client.list_artifacts(self.run_id, folder) if not entry.is_dir
            ]

    def artifact(self, path: str) -> Path:
        """Local path of an artifact, fetched first if the store is remote.

        Raises:
            TrackingError: the run has no such artifact, or the store fails.
        """
        with self._store.asked_to(f"fetch artifact {path} of run {self.run_id}"):
            return Path(self._store.client.download_artifacts(self.run_id, path))


def read_run(store: Store, run_id: str) -> RecordedRun:
    """One run.

    Raises:
        TrackingError: there is no such run, or the store fails.
    """
    with store.asked_to(f"read run {run_id}"):
        return _recorded(store, store.client.get_run(run_id))


def _recorded(store: Store, run: Run) -> RecordedRun:
    info, data = run.info, run.data
    name = info.run_name or info.run_id
    return RecordedRun(
        info.run_id, name, info.experiment_id, info.status, data.params, data.metrics, data.tags, store
    )


def find_runs(store: Store, experiment: str, tags: Mapping[str, str]) -> list[RecordedRun]:
    """All runs of an experiment that have these tags, newest first.

    Raises:
        TrackingError: the store fails.
    """
    condition = " AND ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
    experiment_id = store.experiment_id(experiment)
    with store.asked_to(f"search runs of experiment {experiment!r}"):
        return [_recorded(store, run) for run in store.client.search_runs([experiment_id], condition)]
