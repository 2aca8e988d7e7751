"""A run lands in the store of its own folder, whatever this is called, and nowhere else."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from maxexp.base.errors import TrackingError
from maxexp.base.languages.database_uri import SQLITE
from maxexp.tracking import RunRecord, TrackingConfig
from maxexp.tracking.reading import find_tagged_runs, read_run
from maxexp.tracking.store import open_store, resolve_uri

FOLDERS = (
    "what?",
    "a%20b",
    "a%3Fb",
    "100%",
    "a#b",
    "it's",
    '"',
    "{x}",
    "$x",
    "${x}",
    "a b",
    "é",
    "x\ny",
    "a@b:c",
    "c::d",
)
CONFIG = TrackingConfig(system_metrics=False)


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Path:
    """A database without runs: to make one takes seconds."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    open_store(TrackingConfig(uri=f"sqlite:///{path}"))
    return path


@pytest.fixture
def place(tmp_path, empty):
    """Makes a folder with a store of its own."""

    def place(name: str) -> Path:
        folder = tmp_path / name
        (folder / "mlruns").mkdir(parents=True)
        shutil.copy(empty, folder / "mlruns" / "mlflow.db")
        return folder

    return place


def runs_in(folder: Path) -> int:
    # Without a URI, so that nothing in the path means anything.
    with sqlite3.connect(folder / "mlruns" / "mlflow.db") as database:
        return database.execute("select count(*) from runs").fetchone()[0]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_run_lands_in_the_store_of_its_folder(tmp_path, place, monkeypatch, name):
    folder, others = place(name), [place(other) for other in ("what", "a b ", "a?b")]
    before = sorted(os.listdir(tmp_path))
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with RunRecord.start(CONFIG, "name") as record:
        record.log_text("text", "folder/text.txt")
    assert runs_in(folder) == 1 and not any(map(runs_in, others)) and sorted(os.listdir(tmp_path)) == before
    assert record.download_artifact("folder/text.txt").resolve().is_relative_to(folder / "mlruns" / "artifacts")
    # What is printed of it finds it again from elsewhere.
    monkeypatch.chdir("/")
    store = open_store(TrackingConfig(uri=f"{SQLITE}{folder}/mlruns/mlflow.db"))
    assert read_run(store, record.run_id).name == "name" and store.address == f"{SQLITE}{folder}/mlruns/mlflow.db"


@pytest.mark.parametrize("name", ["what?%20", """it's "x" :y \\ $z"""])
def test_a_new_store_is_made_where_it_was_meant(tmp_path, monkeypatch, name):
    """All of it: MLflow's first experiment, too, has its artifacts there."""
    (tmp_path / name).mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    place = tmp_path / name / "mlruns"
    open_store(TrackingConfig(uri=f"{SQLITE}{place}/mlflow.db", system_metrics=False))
    assert sorted(os.listdir(tmp_path)) == sorted([name, "elsewhere"]) and not os.listdir(tmp_path / "elsewhere")
    with sqlite3.connect(place / "mlflow.db") as database:
        ((location,),) = database.execute("select artifact_location from experiments").fetchall()
    assert location == f"{(place / 'artifacts').as_uri()}/0"


def test_a_store_that_is_only_read_is_not_made(tmp_path):
    """A mistyped address would leave an empty database, and another one the next time."""
    for folder in (tmp_path / "none%20", tmp_path):
        config = TrackingConfig(uri=f"{SQLITE}{folder}/mlfow.db", system_metrics=False)
        with pytest.raises(TrackingError, match=r"mlfow\.db: there is no such database; [^\n]*sqlite:///PATH/"):
            open_store(config, existing=True)
        with pytest.raises(TrackingError, match="there is no such database"):
            RunRecord.resume(config, "0123456789abcdef0123456789abcdef")
    assert not os.listdir(tmp_path)


def test_mlflows_variable_is_read_as_mlflow_reads_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/a%20b%3F.db")
    assert resolve_uri(None) == f"sqlite:///{tmp_path}/a b?.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/what?/mlflow.db")
    with pytest.raises(TrackingError, match=r"^MLFLOW_TRACKING_URI=[^\n]*write %3F[^\n]*$"):
        resolve_uri(None)


def test_a_folder_whose_name_is_no_text_is_refused_in_one_line(tmp_path, monkeypatch):
    folder = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9"))
    os.mkdir(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(TrackingError, match=r"^[^\n]*caf\\xe9[^\n]*no UTF-8 text[^\n]*tracking\.uri=[^\n]*$"):
        open_store(CONFIG)


@pytest.mark.parametrize("value", ["it's", '"it\'s"', "a\\", "' or '' = '", "two\nlines", "%", "[a]*"])
def test_runs_are_found_by_any_value_of_a_tag(place, monkeypatch, value):
    monkeypatch.chdir(place("tags"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for tag in (value, f"{value}x", value.replace("'", "_").replace("\\", "/") + " "):
        RunRecord.start(CONFIG, "name", {"sweep.study": tag})
    found = find_tagged_runs(open_store(CONFIG), CONFIG.experiment, {"sweep.study": value})
    assert [run.tags["sweep.study"] for run in found] == [value]


def test_texts_that_utf8_cannot_hold_are_written_out(place, monkeypatch):
    monkeypatch.chdir(place("texts"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with RunRecord.start(CONFIG, "caf\udce9", {"tag": "\udce9"}, {"dataset.root": "/x/caf\udce9"}) as record:
        pass
    run = record.recorded()
    assert (run.name, run.tags["tag"], run.params["dataset.root"]) == ("caf\\xe9", "\\xe9", "/x/caf\\xe9")
