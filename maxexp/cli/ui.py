"""``python -m maxexp.ui``: the MLflow UI on the tracking store, and addresses at which its runs compare at once."""

import argparse
import os
import sys
from collections.abc import Sequence

from maxexp.base.exit_codes import exit_code
from maxexp.cli.program import called
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.store import Store, open_store
from maxexp.tracking.view import view_address

PORT = 5000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog=called("ui"),
        description="The MLflow UI on a tracking store. Other options go to `mlflow ui`: --host and so on.",
    )
    parser.add_argument("--tracking-uri", help="tracking store (default: as for python -m maxexp)")
    parser.add_argument("--port", type=int, default=PORT, help="where the UI is served (default: %(default)s)")
    options, others = parser.parse_known_args(arguments)
    return exit_code("maxexp", lambda: _serve(options.tracking_uri, options.port, others))


def _serve(uri: str | None, port: int, others: list[str]) -> None:
    store = open_store(TrackingConfig(uri=uri), existing=uri is not None)
    served = store.uri.startswith("http")
    listing = addresses(store, str(store) if served else f"http://127.0.0.1:{port}")
    print("\n".join([f"{name}: {address}" for name, address in listing] or ["no runs yet"]), flush=True)
    if not served:
        os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # it serves language models
        os.execv(sys.executable, [sys.executable, *server_arguments(store, port), *others])


def addresses(store: Store, server: str) -> list[tuple[str, str]]:
    """Experiments that have runs, the one with the newest run first.

    Args:
        store: the tracking store.
        server: address of an MLflow server on that store.

    Returns:
        Name of each, and the address that opens it, with columns and charts arranged if maxexp has written to it.

    Raises:
        TrackingError: the store fails.
    """
    found = []
    with store.operation("list experiments"):
        for experiment in store.client.search_experiments():
            if run := store.newest_run(experiment.experiment_id):
                found.append((run.info.start_time, experiment.name, view_address(server, experiment)))
    return [(name, address) for _, name, address in sorted(found, reverse=True)]


def server_arguments(store: Store, port: int) -> list[str]:
    """Returns what Python is given to serve a local store."""
    words = ["-m", "mlflow", "ui", "--workers", "1", "--port", str(port), "--backend-store-uri", store.uri]
    return [*words, "--default-artifact-root", store.artifact_root] if store.artifact_root else words
