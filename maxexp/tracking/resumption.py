"""Runs that a later process resumes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from maxexp.base.errors import TrackingError
from maxexp.tracking.known import Known
from maxexp.tracking.owner import KILLED_REASON, PID, alive_on_this_host, identity
from maxexp.tracking.reading import resolve_run_id
from maxexp.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient


def find_resumable(store: Store, run_id: str, finished: bool = False) -> Run:
    """Returns a run that can be continued; one that has finished only if that is wanted.

    Args:
        run_id: its id, or the beginning of it.

    Raises:
        TrackingError: There is no such run, it was deleted, it has finished, or a living process writes to it.
    """
    run = _find(store, resolve_run_id(store, run_id))
    run_id = run.info.run_id
    if run.info.lifecycle_stage == "deleted":
        raise TrackingError(
            f"run {run_id} was deleted in tracking store {store}; restore it: "
            f"{store.mlflow_command('runs', 'restore', '--run-id', run_id)}"
        )
    if run.info.status == "FINISHED" and not finished:
        raise TrackingError(f"run {run_id} has finished: there is nothing to resume, start a new run")
    if run.info.status == "RUNNING" and alive_on_this_host(run.data.tags):
        raise TrackingError(
            f"run {run_id} is being written by process {run.data.tags[PID]} of this host: wait for it, or stop it"
        )
    return run


def reopen(store: Store, run: Run, known: Known) -> None:
    """Makes a run one of this process; does nothing if it is that already.

    Args:
        known: Learns the run's tags.
    """
    owner = identity()
    if run.info.status == "RUNNING" and owner.items() <= run.data.tags.items():
        return
    client, run_id = store.client, run.info.run_id
    for tag, value in owner.items():
        store.ask(f"resume run {run_id}", partial(client.set_tag, run_id, tag, value))
    outdated = _tags_of_an_end(run)
    for tag in outdated:
        store.ask(f"resume run {run_id}", partial(_delete_tag, client, run_id, tag))
    store.ask(f"resume run {run_id}", partial(client.update_run, run_id, status="RUNNING"))
    known.forget_tags(outdated)
    known.set_tags(owner)


def _delete_tag(client: MlflowClient, run_id: str, tag: str) -> None:
    """Deletes a tag; one that is gone, as the answer to an earlier attempt was lost, is no error."""
    from mlflow.exceptions import MlflowException

    try:
        client.delete_tag(run_id, tag)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _find(store: Store, run_id: str) -> Run:
    from mlflow.exceptions import MlflowException

    def find() -> Run:
        try:
            return store.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            raise TrackingError(
                f"there is no run {run_id} in tracking store {store}: check the run id and tracking.uri"
            ) from error

    return store.ask(f"find run {run_id}", find)


def _tags_of_an_end(run: Run) -> list[str]:
    """Returns the tags that speak of an earlier end, which holds no longer once the run is resumed."""
    return [
        tag
        for tag in run.data.tags
        if tag in ("error", KILLED_REASON) or (tag.startswith("stage.") and tag.endswith(".reason"))
    ]
