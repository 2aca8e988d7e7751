"""What a run could not send because the tracking store was gone: written to a file, sent later."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxexp.base.errors import TrackingError
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.owner import KILLED_REASON, PROCESS_STARTED, identity
from maxexp.tracking.store import open_store
from maxexp.tracking.text import one_line, without_password

if TYPE_CHECKING:
    from maxexp.tracking.outbox import Outbox
    from maxexp.tracking.store import Store


def write_unsent(store: Store, run_id: str, end: dict[str, Any], outbox: Outbox) -> str:
    """Writes what is left in an outbox to ``maxexp-unsent-RUN_ID.json`` in the current folder.

    Args:
        store: The store that is gone; credentials in its URI are left out.
        run_id: The run.
        end: ``status`` and ``end_time_ms`` that the run should get.
        outbox: What could not be sent. Values are written as texts, since JSON knows no NaN.

    Returns:
        What the user must know: how to send the file, or that it could not be written.
    """
    path = Path.cwd() / f"maxexp-unsent-{run_id}.json"
    content = {
        "uri": without_password(store.uri),
        "run_id": run_id,
        **end,
        "process_started": identity()[PROCESS_STARTED],
        "tags": outbox.tags,
        "metrics": [
            {"key": m.key, "value": repr(m.value), "timestamp_ms": m.timestamp, "step": m.step}
            for m in outbox.metrics
        ],
    }
    try:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        return f"run {run_id} lost {len(outbox.metrics)} points: the tracking store is gone, and {one_line(error)}"
    return (
        f"tracking store {store} is gone: the end of run {run_id} is in {path}; "
        f"send it with `python -m maxexp.tracking {shlex.quote(str(path))}`"
    )


def send_unsent(path: Path, uri: str | None = None) -> str:
    """Sends a file of :func:`write_unsent` and deletes it.

    The status is set only if no later process has taken the run over in between.

    Args:
        path: The file.
        uri: The store, where the URI in the file does not do (it has no credentials).

    Returns:
        The id of the run.

    Raises:
        TrackingError: The file cannot be read, or the store does not take it; then the file stays.
    """
    from mlflow.entities import Metric, RunTag

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        run_id, tags = content["run_id"], [RunTag(*tag) for tag in content["tags"].items()]
        metrics = [Metric(m["key"], float(m["value"]), m["timestamp_ms"], m["step"]) for m in content["metrics"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrackingError(f"{path} is no file of unsent metrics: {one_line(error)}") from error
    store = open_store(TrackingConfig(uri=uri or content["uri"]))
    with store.asked_to(f"send {path}"):
        store.client.log_batch(run_id, metrics=metrics, tags=tags)
        current = store.client.get_run(run_id).data.tags
        if current.get(PROCESS_STARTED) == content["process_started"]:
            store.client.set_terminated(run_id, content["status"], content["end_time_ms"])
            if KILLED_REASON in current and KILLED_REASON not in content["tags"]:
                store.client.delete_tag(run_id, KILLED_REASON)
    path.unlink()
    return run_id
