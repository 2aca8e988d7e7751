"""Mutated files of what a run could not send, and damaged tracking stores: read, or told in one line."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from maxexp.base.errors import TrackingError
from maxexp.tracking import RunRecord, TrackingConfig
from maxexp.tracking.letters import Dataset, End, Letters
from maxexp.tracking.outbox import metric_points
from maxexp.tracking.owner import identity
from maxexp.tracking.reading import find_runs, read_run
from maxexp.tracking.store import open_store
from maxexp.tracking.unsent import read_unsent
from tests.fuzz import fuzz, mutated

SHARE = 10
"""A store takes some tenths of a second."""
LETTERS = Letters(
    metric_points({"val/accuracy": 0.5, "loss": float("nan")}, 3),
    {"stage.train": "done"},
    {"seed": "1"},
    [Dataset("digits", "abc", "train")],
    End("FINISHED", 1764500000000),
    ["checkpoints/resume-0.ckpt"],
)
ORIGIN = {"uri": "sqlite:////tmp/mlflow.db", "run_id": "0" * 32, "owner": identity(), "closed": True}
PLAIN = {**ORIGIN, **LETTERS.to_plain()}
WORDS = [b"null", b"1e999", b"NaN", b"[]", b"{}", b'"x"', b"../", b'"/etc"', b"\\ud800", b"[" * 5000, b"true"]


@pytest.fixture
def read(tmp_path):
    """Reads the file of a folder of unsent results, to the letters that would be sent."""

    def read(data: bytes) -> Letters:
        (tmp_path / "run.json").write_bytes(data)
        content, letters = read_unsent(tmp_path)
        assert isinstance(content["uri"], str) and isinstance(content["closed"], bool)
        for point in letters.metrics:
            assert isinstance(point.key, str) and abs(point.step) < 2**63 and abs(point.timestamp) < 2**63
        for dataset in letters.datasets:
            assert all(isinstance(text, str) for text in vars(dataset).values())
        assert letters.end is None or (isinstance(letters.end.status, str) and abs(letters.end.time_ms) < 2**63)
        assert not any(path.startswith("/") or ".." in Path(path).parts for path in letters.deleted)
        return letters

    return read


def test_unsent_files(read):
    good = [json.dumps(PLAIN, indent=1).encode()]
    fuzz("unsent results", read, mutated(good, WORDS), good)


@pytest.mark.parametrize(
    "change",
    [
        {"deleted": ["../../other"]},
        {"deleted": ["/etc/passwd"]},
        {"deleted": [""]},
        {"deleted": "checkpoints"},
        {"end": {"status": 5, "time_ms": 1}},
        {"end": {"status": "DONE", "time_ms": 1}},
        {"end": {"status": "FINISHED", "time_ms": "soon"}},
        {"datasets": [{"name": 5, "digest": "a", "context": "b"}]},
        {"metrics": [{"key": "../x", "value": "1.0", "timestamp_ms": 1, "step": 1}]},
        {"metrics": [{"key": "x", "value": "1.0", "timestamp_ms": 1, "step": 2**64}]},
        {"tags": {"a": ["x"]}},
        {"params": [1]},
        {"run_id": "../../x"},
    ],
)
def test_results_that_no_run_leaves_are_not_sent(read, change):
    with pytest.raises(TrackingError, match="is no folder of unsent results") as caught:
        read(json.dumps(PLAIN | change).encode())
    assert "\n" not in str(caught.value)
    assert read(json.dumps(PLAIN).encode()).to_plain() == LETTERS.to_plain()


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder with a store that has a finished run."""
    config = TrackingConfig(uri=f"sqlite:///{tmp_path}/good/mlflow.db", experiment="tests", system_metrics=False)
    with RunRecord.start(config, "test", params={"seed": "1"}) as record:
        record.log_metrics({"val/accuracy": 0.5}, step=1)
        record.log_dataset("digits", "abc", "train")
        record.log_dict({"a": 1}, "config/overrides.yaml")
    return tmp_path


def look(place: Path) -> None:
    """All that is read of the runs of a store."""
    store = open_store(TrackingConfig(uri=f"sqlite:///{place}/mlflow.db", patience_s=0.0))
    for run in find_runs(store, ""):
        for key in run.metrics:
            run.history(key)
        assert read_run(store, run.run_id).artifacts("config") is not None and run.threads is None


def test_stores_of_damaged_bytes(place):
    good = (place / "good" / "mlflow.db").read_bytes()

    def read(data: bytes) -> None:
        shutil.rmtree(place / "bad", ignore_errors=True)
        (place / "bad").mkdir()
        (place / "bad" / "mlflow.db").write_bytes(data)
        look(place / "bad")

    fuzz(
        "tracking store, bytes", read, mutated([good], [b"CREATE TABLE runs (", b"SQLite format 3\0"]), [good], SHARE
    )


def test_stores_of_damaged_values(place):
    """Any value of any column of the tables that are read becomes another."""
    good = place / "good" / "mlflow.db"
    with closing(sqlite3.connect(good)) as database:
        columns = [
            (table, row[1])
            for table in ("experiments", "runs", "params", "latest_metrics", "metrics", "tags", "inputs", "datasets")
            for row in database.execute(f"pragma table_info({table})")
        ]
    values = (None, "", "x", -1, 2**62, 1e308, b"\xff\xfe", "\ud7ff" * 3, "../..", "FINISHED", "-")

    def read(data: bytes) -> None:
        shutil.rmtree(place / "bad", ignore_errors=True)
        shutil.copytree(place / "good", place / "bad")
        table, column = columns[data[0] % len(columns)]
        with closing(sqlite3.connect(place / "bad" / "mlflow.db")) as database:
            try:
                database.execute(f"update {table} set {column} = ?", (values[data[1] % len(values)],))
                database.commit()
            except sqlite3.IntegrityError:
                return
        look(place / "bad")

    pairs = (bytes([i % len(columns), i % len(values)]) for i in range(10**6))
    fuzz("tracking store, values", read, pairs, share=SHARE)
