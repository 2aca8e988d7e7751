"""What a run logs on its way to the store: sent at once, kept in memory and in a folder while the store fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxexp.base.errors import OutageError, TrackingError
from maxexp.tracking.delivery import Delivery
from maxexp.tracking.letters import Letters
from maxexp.tracking.names import is_name
from maxexp.tracking.patience import Patience
from maxexp.tracking.text import LONGEST_TAG, shortened

if TYPE_CHECKING:
    from mlflow.entities import Metric

log = logging.getLogger(__name__)

LEAST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
WORK_PER_ATTEMPT = 3.0
"""While a store is away the work has so many times as long as the attempts to reach it: one that hangs takes long."""


class Outbox:
    """Sends what one run logs; what could not be sent goes with a later attempt.

    What MLflow would refuse is refused on the way in (by :func:`metric_points` and :func:`tag_texts`), so that what
    fails later is the store's fault. Several threads may use it.

    Attributes:
        letters: What was not sent yet; add to it.
        down: Why the last attempt failed; ``None`` if it did not.
        refused: What the store does not take, a line each.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._folder = delivery.folder
        self._sending = threading.RLock()
        self._next_attempt = 0.0
        self.letters = Letters()
        self.down: OutageError | None = None
        self.refused: list[str] = []

    def flush(self, at_once: bool = False) -> bool:
        """Sends everything; warns once per outage and returns whether the store took all.

        Args:
            at_once: Whether a store that was away a moment ago is tried again.

        Raises:
            DiskFullError, OSError: The store is away, and what it has not got cannot be kept.
        """
        with self._sending:
            if self.down and not at_once and time.monotonic() < self._next_attempt:
                self._folder.write(self.letters)
                return False
            if not (self.letters or self._folder.path.exists()):
                return True
            if not self._attempt(self._deliver):
                return False
            if self.refused:
                self._folder.write(self.letters)
                return False
            self._folder.remove()
            return True

    def send_file(self, source: Path, artifact: str) -> None:
        """Stores a file as an artifact, or keeps a copy of it until the store is back.

        Raises:
            DiskFullError, OSError: The store is away, and the file cannot be kept.
        """
        with self._sending:
            self.flush()
            if not self.down and self._attempt(lambda: self._send_file(source, artifact)):
                return
            self._folder.keep(source, artifact)
            self._folder.write(self.letters)

    def drain(self, patience: Patience) -> bool:
        """Sends everything, with as many attempts as there is patience; returns whether the store took all."""
        while not self.flush(at_once=True):
            if not self.down or not patience.left():
                return False
            if not patience.used:
                log.warning("%s; waiting for it, Ctrl-C leaves the rest in %s", self.down, self._folder.path)
            patience.pause()
        return True

    def _deliver(self) -> None:
        refused = self._delivery.deliver(self.letters)
        for text in refused:
            if text not in self.refused:
                log.warning("%s", text)
        self.refused = refused

    def _send_file(self, source: Path, artifact: str) -> None:
        if text := self._delivery.send_file(str(source), artifact):
            self.refused.append(text)
            raise TrackingError(text)
        self._folder.discard(artifact)

    def _attempt(self, send: Callable[[], None]) -> bool:
        """Tries to reach the store; returns whether that went well."""
        began = time.monotonic()
        try:
            send()
        except OutageError as error:
            if not self.down:
                log.warning("%s; the work goes on, and what is not sent waits in %s", error, self._folder.path)
            self.down = error
            now = time.monotonic()
            pause = min(max(WORK_PER_ATTEMPT * (now - began), LEAST_PAUSE_S), LONGEST_PAUSE_S)
            self._next_attempt = now + pause
            self._folder.write(self.letters)
            return False
        except TrackingError as error:
            log.warning("%s", error)
            return False
        if self.down:
            log.warning("tracking store %s is back: what waited was sent", self._delivery.store)
        self.down = None
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
    """Returns a name that MLflow accepts for metrics and tags."""
    if not is_name(key):
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
