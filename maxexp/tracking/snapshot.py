"""A run as its store will have it once everything has arrived, read without the store where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from maxexp.tracking.known import Known
from maxexp.tracking.reading import RecordedRun
from maxexp.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run


@dataclass(frozen=True)
class Snapshot(RecordedRun):
    """An open run, of which its own process knows everything that it has logged itself."""

    _points: Mapping[str, list[tuple[int, float]]] = field(default_factory=dict, repr=False)
    _local: Callable[[str], Path | None] = field(default=lambda path: None, repr=False)

    def history(self, key: str) -> list[tuple[int, float]]:
        """Points (step, value) of a metric."""
        return self._points[key] if key in self._points else super().history(key)

    def artifact(self, path: str) -> Path:
        """Returns the local path of an artifact.

        Raises:
            TrackingError: the run has no such artifact, or the store, which must be asked for it, fails.
        """
        return self._local(path) or super().artifact(path)


def snapshot_of(store: Store, run: Run, known: Known, local: Callable[[str], Path | None]) -> Snapshot:
    """Returns what a process knows of a run that it has open.

    Args:
        run: as the store had it when it was opened.
        known: what was logged since, too.
        local: finds the files that the process has made artifacts.
    """
    info = run.info
    return Snapshot(
        info.run_id,
        info.run_name or info.run_id,
        info.experiment_id,
        info.status,
        dict(known.params),
        known.metrics(),
        dict(known.tags),
        dict(known.data),
        False,
        info.artifact_uri,
        store,
        {key: known.history(key) for key in known.metrics()},
        local,
    )
