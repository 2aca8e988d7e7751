"""Sending of what runs that have ended could not send."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from maxexp.base.errors import MaxexpError, OutageError, TrackingError
from maxexp.base.secrets import address_without_secrets
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.delivery import Delivery
from maxexp.tracking.letters import Letters
from maxexp.tracking.owner import KILLED_REASON, possibly_alive
from maxexp.tracking.store import Store, open_store
from maxexp.tracking.unsent import UnsentFolder, read_unsent, unsent_folders

log = logging.getLogger(__name__)


def send_unsent(path: Path, uri: str | None = None) -> str:
    """Sends a folder of unsent results and deletes it.

    Args:
        path: The folder.
        uri: The store, where the URI in the folder does not do (it has no credentials).

    Returns:
        The id of the run.

    Raises:
        TrackingError: The folder cannot be read, its run still goes on, or the store does not take it; then the
            folder stays.
    """
    content, letters = read_unsent(path)
    if _still_written(content):
        raise TrackingError(
            f"run {content['run_id']} still goes on, and sends {path} itself: wait until it has ended"
        )
    store = open_store(TrackingConfig(uri=uri or content["uri"]), existing=True)
    _send(store, path, content, letters)
    return content["run_id"]


def send_leftovers(store: Store, place: Path, run_id: str = "") -> None:
    """Sends what runs of a store that have ended left in a place; what cannot be sent stays, with a warning.

    Args:
        place: The folder in which to look.
        run_id: Beginning of the ids of the runs to which this is limited.
    """
    for path in unsent_folders(place):
        try:
            content, letters = read_unsent(path)
            ours = content["uri"] == address_without_secrets(store.address) and content["run_id"].startswith(run_id)
            if not ours or _still_written(content):
                continue
            _send(replace(store, trusted=False), path, content, letters)
            log.warning("%s: sent to run %s", path, content["run_id"])
        except OutageError as error:
            log.warning("%s", error)
            return
        except (MaxexpError, OSError) as error:
            log.warning("%s", error)


def _still_written(content: Mapping[str, Any]) -> bool:
    """Tells whether a process that may be alive still has the run open."""
    return not content["closed"] and possibly_alive(content["owner"])


def _send(store: Store, path: Path, content: Mapping[str, Any], letters: Letters) -> None:
    """Sends a folder; of two processes that do so at once, one does nothing."""
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=0) as lock:
            if path.exists():
                _send_alone(store, path, content, letters)
            Path(lock.lock_file).unlink(missing_ok=True)
    except Timeout:
        return


def _send_alone(store: Store, path: Path, content: Mapping[str, Any], letters: Letters) -> None:
    run_id, owner = content["run_id"], content["owner"]
    folder = UnsentFolder(path, store, run_id, owner)
    run = store.ask(f"send {path}", lambda: store.client.get_run(run_id))
    if not owner.items() <= run.data.tags.items():
        letters = _beyond(run, letters)
        _discard_what_is_there(store, run_id, folder)
    # Somebody may have closed the run, whose process had died or seemed to.
    closed_by_others = letters.end and KILLED_REASON in run.data.tags and KILLED_REASON not in letters.tags
    if refused := Delivery(store, run_id, run.info.artifact_uri, folder).deliver(letters):
        folder.closed = True
        folder.write(letters)
        raise TrackingError(f"{path} is not empty yet: {refused[0]}")
    if closed_by_others:
        store.ask(f"send {path}", lambda: store.client.delete_tag(run_id, KILLED_REASON))
    folder.remove()


def _beyond(run: Any, letters: Letters) -> Letters:
    """Returns the letters that no later process, having resumed the run since, has written anew."""
    last = {metric.key: metric.step for metric in run.data._metric_objs}
    return Letters([point for point in letters.metrics if point.step > last.get(point.key, -1)])


def _discard_what_is_there(store: Store, run_id: str, folder: UnsentFolder) -> None:
    for _, artifact in folder.files():
        parent = artifact.rpartition("/")[0] or None
        list_folder = partial(store.client.list_artifacts, run_id, parent)
        there = store.ask(f"list artifacts of run {run_id}", list_folder)
        if artifact in {entry.path for entry in there}:
            folder.discard(artifact)
