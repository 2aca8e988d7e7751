"""Reading runs of a store."""

import pytest

from maxexp.errors import TrackingError
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import OVERRIDES, find_runs, read_run
from maxexp.tracking.record import RunRecord
from maxexp.tracking.store import open_store


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


def test_the_command_of_a_run_names_no_places(config):
    with RunRecord.start(config, "a") as run:
        places = "dataset.root=/x, +board.connection.port=/dev/ttyACM1, synthesis.path=/y, tracking.uri=z"
        run.log_text(f"[board=max78000fthr, {places}, trainer.threads=1]", OVERRIDES)
    command = read_run(open_store(config), run.run_id).command()
    assert command == "python -m maxexp board=max78000fthr trainer.threads=1"


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
    with pytest.raises(TrackingError, match="search runs"):
        find_runs(store, "this is no query")
