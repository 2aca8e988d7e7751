"""Reading runs of a store."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maxexp.base.errors import TrackingError
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import find_runs, read_run
from maxexp.tracking.record import RunRecord
from maxexp.tracking.store import open_store

REPOSITORY = Path(__file__).parents[2]


def record(config: TrackingConfig, name: str, seed: int) -> str:
    with RunRecord.start(config, name, {"model": "small"}, {"seed": str(seed)}) as run:
        run.log_metrics({"val/accuracy": 0.25}, step=0)
        run.log_metrics({"val/accuracy": 0.5}, step=1)
        run.log_dataset("digits-train", "abc", "train")
        run.log_text("text", "plots/note.txt")
    return run.run_id


def test_a_run_is_read_whole(config):
    run_id = record(config, "first", 3)
    run = read_run(open_store(config), run_id)
    assert (run.run_id, run.name, run.status) == (run_id, "first", "FINISHED")
    assert run.params == {"seed": "3"} and run.metrics == {"val/accuracy": 0.5} and run.tags["model"] == "small"
    assert run.data == {"digits-train": "abc"}
    assert run.history("val/accuracy") == [(0, 0.25), (1, 0.5)] and run.history("nothing") == []
    assert run.artifacts("plots") == ["plots/note.txt"] and run.artifacts("nowhere") == []
    assert run.artifact("plots/note.txt").read_text() == "text"


FETCHING = """
import sys
from pathlib import Path
from types import ModuleType

from maxexp.tracking.reading import RecordedRun
from maxexp.tracking.store import Store

def download_artifacts(artifact_uri, dst_path, tracking_uri):
    file = Path(dst_path, artifact_uri.rpartition("/")[2])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(artifact_uri)
    return str(file)

sys.modules["mlflow"], sys.modules["mlflow.artifacts"] = ModuleType("mlflow"), ModuleType("mlflow.artifacts")
sys.modules["mlflow.artifacts"].download_artifacts = download_artifacts
store = Store("http://server", None, None)
for run_id in ("a", "b"):
    root = f"mlflow-artifacts:/1/{run_id}"
    run = RecordedRun(run_id, run_id, "1", "FINISHED", {}, {}, {}, {}, False, root, store)
    for path in ("config/x.yaml", "plots/x.yaml"):
        print(run.artifact(path))
        assert run.artifact(path).read_text() == f"{root}/{path}"
"""
"""Files from a server, for which a stand-in does: to start one takes seconds."""


def test_what_is_fetched_from_a_server_goes_with_the_process(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", FETCHING], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = done.stdout.splitlines()
    assert len(set(files)) == 4 and all(Path(file).is_relative_to(tmp_path) for file in files)
    assert not list(tmp_path.iterdir())


def test_runs_are_found_in_all_experiments_the_newest_first(config):
    other = TrackingConfig(config.uri, "elsewhere", system_metrics=False)
    ids = [record(config, "a", 171), record(other, "b", 171), record(config, "c", 172)]
    store = open_store(config)
    assert [run.run_id for run in find_runs(store, "params.seed = '171'")] == [ids[1], ids[0]]
    assert find_runs(store, "params.seed = '179'") == []


def test_what_is_not_there_is_named(config):
    store = open_store(config)
    with pytest.raises(TrackingError, match="cannot read run 0000"):
        read_run(store, "0" * 32)
    run = read_run(store, record(config, "a", 1))
    with pytest.raises(TrackingError, match="nothing.txt"):
        run.artifact("nothing.txt")
    with pytest.raises(TrackingError, match="not in MLflow.s search syntax"):
        find_runs(store, "this is no query")
