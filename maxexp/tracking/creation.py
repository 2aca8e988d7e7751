"""The creation of a run: once, even where the answer to it is lost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from maxexp.tracking.color import COLOR_TAG, next_color
from maxexp.tracking.owner import close_abandoned_runs, identity
from maxexp.tracking.store import Store
from maxexp.tracking.text import storable

if TYPE_CHECKING:
    from mlflow.entities import Run

_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


def create_run(store: Store, experiment_id: str, name: str | None, tags: Mapping[str, str]) -> Run:
    """Creates a run of this process, after closing runs of the same experiment whose process is dead.

    The tags are there from the beginning: whoever finds the run after a kill knows what it was.

    Raises:
        TrackingError: The store is away, or it refuses a tag.
    """
    store.ask("close abandoned runs", lambda: close_abandoned_runs(store.client, experiment_id))
    before = store.ask("find the newest run", lambda: store.newest_run(experiment_id))
    color = next_color(before.data.tags.get(COLOR_TAG) if before else None)
    creation = _Creation(store, experiment_id, name, {**tags, **identity(), COLOR_TAG: color})
    return store.ask("start a run", creation.attempt)


class _Creation:
    """Attempts to create one run: a later one first looks whether an earlier one was heard."""

    def __init__(self, store: Store, experiment_id: str, name: str | None, tags: dict[str, str]) -> None:
        self._client = store.client
        self._experiment_id = experiment_id
        self._name = storable(name) if name else None
        self._tags = tags
        self._started_ms = int(time.time() * 1000)
        self._tried = False

    def attempt(self) -> Run:
        if self._tried and (found := self._created()):
            return found
        self._tried = True
        with _sent_once():
            return self._client.create_run(self._experiment_id, self._started_ms, self._tags, self._name)

    def _created(self) -> Run | None:
        at_that_time = self._client.search_runs([self._experiment_id], f"attributes.start_time = {self._started_ms}")
        return next((run for run in at_that_time if self._tags.items() <= run.data.tags.items()), None)


@contextmanager
def _sent_once() -> Iterator[None]:
    """Keeps MLflow from repeating a request by itself: each repetition would make one more run."""
    before = os.environ.get(_RETRIES)
    os.environ[_RETRIES] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_RETRIES]
        else:
            os.environ[_RETRIES] = before
