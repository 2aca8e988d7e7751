"""MLflow's own server application in one process with threads: it starts in a few seconds and takes little CPU.

``python -m tests.servers.mlflow_app FOLDER PORT`` serves FOLDER/mlflow.db and FOLDER/artifacts until it is killed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
START_S = 120.0
"""Seconds that the server has to answer for the first time."""


def free_port() -> int:
    """A port of the loopback device that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder: Path, port: int) -> subprocess.Popen:
    """Start the server of a folder and wait until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "server.log", "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.mlflow_app", str(folder), str(port)],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"the server did not start: {(folder / 'server.log').read_text()[-2000:]}")


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A server of a folder while the context is open; yields its address."""
    port = free_port()
    process = start(folder, port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Serve until killed."""
    folder, port = Path(sys.argv[1]).absolute(), int(sys.argv[2])
    artifacts = folder / "artifacts"
    artifacts.mkdir(exist_ok=True)
    os.environ |= {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(artifacts),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    from mlflow.server import app, handlers
    from werkzeug.serving import WSGIRequestHandler, make_server

    class KeepsConnections(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Says nothing."""

    handlers.initialize_backend_stores(os.environ["_MLFLOW_SERVER_FILE_STORE"])  # before the first request, not in it
    make_server("127.0.0.1", port, app, threaded=True, request_handler=KeepsConnections).serve_forever()


if __name__ == "__main__":
    main()
