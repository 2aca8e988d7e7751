import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maxexp.base.errors import TrackingError
from maxexp.tracking import RunRecord, TrackingConfig
from maxexp.tracking.store import open_store, resolve_uri

REPOSITORY = Path(__file__).parents[2]


def test_uri_of_config_beats_environment_beats_local_store(monkeypatch, tmp_path):
    assert resolve_uri(None) == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server:5000")
    assert resolve_uri(None) == "http://server:5000"
    assert resolve_uri("sqlite:///x.db") == f"sqlite:///{tmp_path}/x.db"


@pytest.mark.parametrize("uri", ["mlruns", "/data/mlruns", "file:mlruns", "file:///data/mlruns"])
def test_file_store_is_refused_with_the_fix(uri):
    with pytest.raises(TrackingError, match=r"^[^\n]*file store[^\n]*write sqlite:///[^\n]*$"):
        resolve_uri(uri)


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:", "ftp://server/x"])
def test_uri_that_cannot_work_is_refused_with_the_fix(uri):
    with pytest.raises(TrackingError, match=r"^[^\n]*write sqlite:///[^\n]*$"):
        resolve_uri(uri)


def test_password_is_not_shown():
    with pytest.raises(TrackingError) as caught:
        resolve_uri("ftp://user:secret@server/x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("place", ["a_file/mlflow.db", "a_file"])
def test_database_that_cannot_be_opened_fails_at_once(tmp_path, place):
    (tmp_path / "a_file").write_text("this is not a database, it is only a text")
    started = time.monotonic()
    with pytest.raises(TrackingError, match=r"^cannot open tracking store [^\n]*tracking\.uri[^\n]*$"):
        open_store(TrackingConfig(uri=f"sqlite:///{place}"))
    assert time.monotonic() - started < 5


def test_deleted_experiment_is_refused(config, uri):
    store = open_store(config)
    store.client.delete_experiment(store.experiment_id("deleted"))
    with pytest.raises(TrackingError, match=r"^experiment 'deleted' was deleted [^\n]*restore[^\n]*$"):
        RunRecord.start(TrackingConfig(uri=uri, experiment="deleted"))


def test_unreachable_server_fails_within_seconds():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}"  # bound, but nobody listens
        started = time.monotonic()
        with pytest.raises(TrackingError, match=rf"^[^\n]*{uri}: the server does not answer[^\n]*tracking\.uri$"):
            RunRecord.start(TrackingConfig(uri=uri))
    assert time.monotonic() - started < 10


FIRST_RUN = """
from maxexp.tracking import RunRecord, TrackingConfig
with RunRecord.start(TrackingConfig(system_metrics=False), "first") as record:
    record.log_text("x", "x.txt")
    print(record.uri, record.client.get_run(record.run_id).info.artifact_uri)
"""


def test_two_processes_may_create_the_store_at_the_same_time(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FIRST_RUN],
            cwd=tmp_path,
            env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        store, artifacts = out.split()
        assert store == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
        folder = Path(artifacts.removeprefix("file://"))
        assert folder.is_relative_to(tmp_path / "mlruns/artifacts")
        assert (folder / "x.txt").read_text() == "x"
