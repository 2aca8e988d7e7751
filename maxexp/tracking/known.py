"""What one process knows of its open run without asking the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run


class Known:
    """What the store had of a run when this process opened it, and all that was logged since.

    Args:
        run: As the store had it.

    Attributes:
        params: All params.
        tags: All tags.
        data: Digest of each data set, by name.
    """

    def __init__(self, run: Run) -> None:
        self.params: dict[str, str] = dict(run.data.params)
        self.tags: dict[str, str] = dict(run.data.tags)
        inputs = run.inputs.dataset_inputs if run.inputs else []
        self.data: dict[str, str] = {entry.dataset.name: entry.dataset.digest for entry in inputs}
        # Each metric's point of the largest step at that time. The attribute is not public, but it is the one that
        # MLflow's own monitor resumes by: histories cost a request each.
        self._earlier: dict[str, Metric] = {metric.key: metric for metric in run.data._metric_objs}
        self._latest: dict[str, Metric] = dict(self._earlier)
        # Of a curve the last point alone, until its history is added.
        self._points: dict[str, list[Metric]] = {key: [point] for key, point in self._earlier.items()}
        self._without_history = {key for key, point in self._earlier.items() if point.step > 0}

    def unread_curves(self) -> Iterable[str]:
        """Returns the metrics of several steps whose earlier points this process does not know."""
        return sorted(self._without_history)

    def add_history(self, key: str, points: Iterable[Metric]) -> None:
        """Takes in the points that the store had of a metric."""
        self._points[key] = [*points, *self._points[key][1:]]
        self._without_history.discard(key)

    def is_new(self, point: Metric, is_result: bool) -> bool:
        """Returns whether a point is beyond what the run had when it was opened.

        Args:
            is_result: The point belongs to no curve: another value than before counts.
        """
        earlier = self._earlier.get(point.key)
        if earlier is None:
            return True
        return point.value != earlier.value if is_result else point.step > earlier.step

    def add(self, point: Metric, with_history: bool = True) -> None:
        """Takes in a point that was logged; from here on the run has a newer one than when it was opened.

        Args:
            with_history: Whether the points before it will be asked for.
        """
        self._earlier.pop(point.key, None)
        if with_history:
            self._points.setdefault(point.key, []).append(point)
        latest = self._latest.get(point.key)
        if latest is None or (point.step, point.timestamp) >= (latest.step, latest.timestamp):
            self._latest[point.key] = point

    def metrics(self) -> dict[str, float]:
        """Returns the latest value of each metric, as MLflow understands that: by step, then by time."""
        return {key: point.value for key, point in self._latest.items()}

    def history(self, key: str) -> list[tuple[int, float]]:
        """Returns the points (step, value) of a metric, in the order in which they were logged."""
        return [(point.step, point.value) for point in self._points.get(key, [])]

    def next_step(self, prefix: str) -> int:
        """Returns the step after the last one that any metric of this prefix has."""
        return max((point.step + 1 for key, point in self._latest.items() if key.startswith(prefix)), default=0)

    def forget_tags(self, keys: Iterable[str]) -> None:
        """Takes out tags that the run has no longer."""
        for key in keys:
            self.tags.pop(key, None)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Takes in tags."""
        self.tags |= tags
