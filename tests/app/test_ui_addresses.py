"""What ``python -m maxexp.ui`` says before the MLflow UI starts."""

import os
import sys

import pytest

from maxexp.tracking import RunRecord, TrackingConfig
from maxexp.tracking.store import open_store
from maxexp.tracking.view import VIEW
from maxexp.ui import main


@pytest.fixture
def started(monkeypatch):
    """The processes that would have taken this one's place."""
    commands = []
    monkeypatch.setattr(os, "execv", lambda program, words: commands.append([program, *words[1:]]))
    return commands


def test_experiments_with_runs_are_listed_newest_first(tmp_path, capsys, started):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    for name in ("older", "newer"):
        with RunRecord.start(TrackingConfig(uri=uri, experiment=name, system_metrics=False), "run"):
            pass
    store = open_store(TrackingConfig(uri=uri))
    store.experiment_id("empty")
    assert main(["--tracking-uri", uri, "--port", "5123", "--host", "0.0.0.0"]) == 0
    ids = {name: store.client.get_experiment_by_name(name).experiment_id for name in ("newer", "older")}
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: http://127.0.0.1:5123/#/experiments/{ids[name]}/runs?viewStateShareKey={VIEW}" for name in ids
    ]
    (command,) = started
    assert command[0] == sys.executable
    assert command[command.index("--port") + 1] == "5123"
    assert command[command.index("--backend-store-uri") + 1] == uri
    assert command[-2:] == ["--host", "0.0.0.0"], "options of mlflow ui are handed on"


def test_a_store_without_runs_is_served_all_the_same(tmp_path, capsys, started):
    assert main(["--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"]) == 0
    assert capsys.readouterr().out == "no runs yet\n"
    assert started


def test_a_store_that_cannot_work_is_one_line(capsys, started):
    assert main(["--tracking-uri", "mlruns"]) == 1
    assert capsys.readouterr().err.startswith("maxexp: error: ")
    assert not started
