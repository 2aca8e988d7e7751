"""Metrics and tags on their way to the store, kept in memory while it cannot be reached."""

from __future__ import annotations

import logging
import posixpath
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from maxexp.base.errors import TrackingError
from maxexp.tracking.store import store_errors
from maxexp.tracking.text import LONGEST_TAG, one_line, shortened

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

log = logging.getLogger(__name__)

_NAME = re.compile(r"[\w.\- :/]{1,250}")


class Outbox:
    """Sends metrics and tags of one run; what could not be sent goes with the next attempt.

    What MLflow would refuse is refused on the way in (by :func:`metric_points` and :meth:`add_tags`), so
    that whatever fails later is the store's fault and worth another attempt.

    Attributes:
        metrics: Points that were not sent yet; add to the list.
        tags: Tags that were not sent yet.
        down: Whether the last attempt failed.
    """

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self._client = client
        self._run_id = run_id
        self.metrics: list[Metric] = []
        self.tags: dict[str, str] = {}
        self.down = False

    def add_tags(self, tags: Mapping[str, Any]) -> None:
        """Takes in tags; values are shortened to MLflow's limit.

        Raises:
            TrackingError: A name that MLflow cannot store; then none of the tags is taken.
        """
        self.tags |= tag_texts(tags)

    def flush(self) -> bool:
        """Sends everything in one call; warns once per outage and returns whether the store took it."""
        from mlflow.entities import RunTag

        if not (self.metrics or self.tags):
            return True
        try:
            tags = [RunTag(key, value) for key, value in self.tags.items()]
            self._client.log_batch(self._run_id, metrics=self.metrics, tags=tags)
        except store_errors() as error:
            if not self.down:
                log.warning("tracking store fails, metrics are kept in memory: %s", one_line(error))
            self.down = True
            return False
        if self.down:
            log.warning("tracking store is back: %d kept points were sent", len(self.metrics))
        self.metrics, self.tags, self.down = [], {}, False
        return True


def tag_texts(tags: Mapping[str, Any]) -> dict[str, str]:
    """Returns tags as MLflow stores them, values shortened to its limit.

    Raises:
        TrackingError: A name that MLflow cannot store.
    """
    return {_name(key): shortened(value, LONGEST_TAG) for key, value in tags.items()}


def metric_points(values: Mapping[str, Any], step: int) -> list[Metric]:
    """Returns MLflow's points of one step, of now; anything that ``float()`` takes is a value, but no text.

    Raises:
        TrackingError: A name or a value that MLflow cannot store.
    """
    from mlflow.entities import Metric

    now_ms = int(time.time() * 1000)
    return [Metric(_name(key), _number(key, value), now_ms, step) for key, value in values.items()]


def _name(key: str) -> str:
    """Returns a name that MLflow accepts for metrics and tags: it must also be a plain relative path."""
    if not _NAME.fullmatch(key) or posixpath.normpath(key) != key or key.startswith(("/", "..")) or key == ".":
        raise TrackingError(
            f"{key!r} cannot be the name of a metric or tag: use 1 to 250 letters, digits, and _ . - : / between them"
        )
    return key


def _number(key: str, value: Any) -> float:
    try:
        if not isinstance(value, (str, bytes)):
            return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        pass
    raise TrackingError(f"metric {key!r} must be one number; got {type(value).__name__} {str(value)[:60]!r}")
