"""What ``python -m maxexp.ui`` says before the MLflow UI starts."""

import os
import sys
from types import SimpleNamespace

import pytest

from maxexp.cli import ui
from maxexp.cli.ui import main
from maxexp.tracking import RunRecord, TrackingConfig
from maxexp.tracking.store import Store, open_store
from maxexp.tracking.view import VIEW, VIEW_TAG


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


def test_an_experiment_of_another_tool_opens_without_our_view(tmp_path, capsys, started):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_store(TrackingConfig(uri=uri)).client
    experiment_id = client.create_experiment("theirs")
    client.create_run(experiment_id)
    assert main(["--tracking-uri", uri]) == 0
    address = f"http://127.0.0.1:5000/#/experiments/{experiment_id}/runs"
    assert capsys.readouterr().out == f"theirs: {address}\n"


def test_the_password_of_a_server_is_not_printed(monkeypatch, capsys, started):
    experiment = SimpleNamespace(name="ours", experiment_id="7", tags={VIEW_TAG: "{}"})
    run = SimpleNamespace(info=SimpleNamespace(start_time=1))
    client = SimpleNamespace(search_experiments=lambda: [experiment], search_runs=lambda *_, **__: [run])
    store = Store("http://me:secret@server:5000", client, None)
    monkeypatch.setattr(ui, "open_store", lambda *_, **__: store)
    assert main(["--tracking-uri", store.uri]) == 0
    assert capsys.readouterr().out == f"ours: http://server:5000/#/experiments/7/runs?viewStateShareKey={VIEW}\n"
    assert not started


def test_a_store_without_runs_is_served_all_the_same(tmp_path, monkeypatch, capsys, started):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert main([]) == 0
    assert capsys.readouterr().out == "no runs yet\n"
    assert started


def test_a_mistyped_database_is_not_made(tmp_path, capsys, started):
    assert main(["--tracking-uri", f"sqlite:///{tmp_path}/mlfow.db"]) == 1
    assert "mlfow.db: there is no such database" in capsys.readouterr().err
    assert not started and not list(tmp_path.iterdir())


def test_a_database_in_the_home_folder_is_found(tmp_path, monkeypatch, started):
    monkeypatch.setenv("HOME", str(tmp_path))
    open_store(TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db"))
    assert main(["--tracking-uri", "sqlite:///~/mlflow.db"]) == 0
    assert started


def test_a_store_that_cannot_work_is_one_line(capsys, started):
    assert main(["--tracking-uri", "mlruns"]) == 1
    assert capsys.readouterr().err.startswith("maxexp: error: ")
    assert not started
