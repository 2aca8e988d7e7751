"""A run as its store will have it once everything has arrived, read without the store where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maxexp.tracking.reading import RecordedRun


@dataclass(frozen=True)
class Snapshot(RecordedRun):
    """An open run, of which its own process knows everything that it has logged itself."""

    _points: Mapping[str, list[tuple[int, float]]] = field(default_factory=dict, repr=False)
    _local: Callable[[str], Path | None] = field(default=lambda path: None, repr=False)

    def history(self, key: str) -> list[tuple[int, float]]:
        """Points (step, value) of a metric."""
        return self._points[key] if key in self._points else super().history(key)

    def artifact(self, path: str) -> Path:
        """Local path of an artifact.

        Raises:
            TrackingError: the run has no such artifact, or the store, which must be asked for it, fails.
        """
        return self._local(path) or super().artifact(path)
