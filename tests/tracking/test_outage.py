"""A store that is away: what was logged waits, the work goes on, and everything is right afterwards."""

import json
import logging
import runpy
import sys
import threading
import time
from dataclasses import replace

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from maxexp.base.errors import TrackingError, UnsentError
from maxexp.cli.tracking import main
from maxexp.tracking import RunRecord, TrackingConfig, delivery, patience
from maxexp.tracking import outbox as outbox_module
from maxexp.tracking.leftovers import send_unsent
from maxexp.tracking.letters import delete_artifact
from maxexp.tracking.owner import KILLED_REASON, PROCESS_TICKS

METHODS = (
    "create_run",
    "get_experiment_by_name",
    "get_run",
    "log_artifact",
    "log_batch",
    "log_inputs",
    "search_runs",
    "set_terminated",
)


@pytest.fixture
def outage(monkeypatch):
    """While it is set, every client fails as if the server was gone."""
    gone = threading.Event()

    def fragile(method):
        def call(*args, **kwargs):
            if gone.is_set():
                raise MlflowException("API request to http://server failed")
            return method(*args, **kwargs)

        return call

    for name in METHODS:
        monkeypatch.setattr(MlflowClient, name, fragile(getattr(MlflowClient, name)))
    monkeypatch.setattr(outbox_module, "LEAST_PAUSE_S", 0.0)
    monkeypatch.setattr(outbox_module, "WORK_PER_ATTEMPT", 0.0)
    return gone


@pytest.fixture
def send_by_command(monkeypatch):
    """Runs ``python -m maxexp.tracking FOLDER`` within this process."""

    def send(folder):
        monkeypatch.setattr(sys, "argv", ["tracking", str(folder)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("maxexp.tracking", run_name="__main__")
        return ended.value.code

    return send


def test_points_of_an_outage_arrive_later(start, outage, steps, caplog, tmp_path):
    with start() as record:
        record.log_metrics({"x": 0.5}, step=0)
        outage.set()
        for step in (1, 2):
            record.log_metrics({"x": step, "train/accuracy": step}, step=step)
        record.set_tags({"stage.train": "done"})
        assert [entry.levelno for entry in caplog.records] == [logging.WARNING]
        outage.clear()
        assert steps(record, "x") == [0]
        record.log_metrics({"x": 3}, step=3)
        assert steps(record, "x") == [0, 1, 2, 3]
        assert record.client.get_run(record.run_id).data.tags["stage.train"] == "done"
    assert list(tmp_path.iterdir()) == []


def test_artifacts_of_an_outage_arrive_later_as_they_were_then(start, outage, tmp_path):
    checkpoint = tmp_path / "resume-0.ckpt"
    (tmp_path / "synthesis" / "inner").mkdir(parents=True)
    (tmp_path / "synthesis" / "inner" / "net.c").write_text("int main")
    with start() as record:
        outage.set()
        for content in ("first", "second"):
            checkpoint.write_text(content)
            record.log_artifact(checkpoint, "checkpoints")
        checkpoint.write_text("of a later epoch")
        record.log_artifact(tmp_path / "synthesis")
        record.log_text("hello", "notes/a.txt")
        record.log_dataset("cifar10", "d" * 36, "train")
        outage.clear()
        record.log_metrics({"x": 1})
        read = {
            path: record.download_artifact(path).read_text() for path in ("checkpoints/resume-0.ckpt", "notes/a.txt")
        }
        assert read == {"checkpoints/resume-0.ckpt": "second", "notes/a.txt": "hello"}
        assert record.download_artifact("synthesis/inner/net.c").read_text() == "int main"
        assert record.recorded().data == {"cifar10": "d" * 36}
        assert not list(tmp_path.glob("maxexp-unsent-*"))


@pytest.fixture
def undeletable(monkeypatch):
    """The store fails so many times as the list is long where an artifact is to be deleted."""
    failures = []

    def fragile(*given):
        if failures:
            raise failures.pop()
        return delete_artifact(*given)

    monkeypatch.setattr(delivery, "delete_artifact", fragile)
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.01)
    return failures


def test_an_outage_after_the_status_is_waited_for_too(config, undeletable, tmp_path):
    with RunRecord.start(replace(config, patience_s=60.0)) as record:
        record.log_text("x", "a.txt")
        record.on_success(lambda: record.delete_artifact("a.txt"))
        undeletable += 3 * [MlflowException("API request to http://server failed")]
    assert not undeletable
    assert [entry.path for entry in record.client.list_artifacts(record.run_id)] == []
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_deleted_is_told(start, undeletable):
    with pytest.raises(UnsentError, match="has not got 1 deletion of artifacts of run"), start() as record:
        undeletable += 9 * [MlflowException("API request to http://server failed")]
        record.delete_artifact("a.txt")


def test_what_an_open_run_knows_of_itself_it_does_not_ask_of_the_store(start, config, outage, tmp_path):
    with pytest.raises(KeyboardInterrupt), start(params={"seed": 1}) as record:
        record.log_metrics({"val/accuracy": 0.5}, step=0)
        record.log_metrics({"val/accuracy": 0.75}, step=1)
        raise KeyboardInterrupt
    with RunRecord.resume(config, record.run_id) as record:
        outage.set()
        record.log_metrics({"val/accuracy": 0.25}, step=2)
        record.log_metrics({"late": 1}, step=0)
        record.log_text("made", "a.txt")
        assert record.metrics() == {"val/accuracy": 0.25, "late": 1}
        assert record.history("val/accuracy") == [(0, 0.5), (1, 0.75), (2, 0.25)]
        assert record.params() == {"seed": "1"} and "maxexp.pid" in record.tags()
        seen = record.snapshot()
        assert seen.artifact("a.txt").read_text() == "made"
        assert seen.history("late") == [(0, 1.0)]
        outage.clear()


def test_lasting_outage_ends_in_a_folder_that_can_be_sent(start, outage, steps, status, tmp_path, send_by_command):
    with pytest.raises(UnsentError) as caught, start() as record:
        outage.set()
        record.log_metrics({"x": 0.1, "nan": float("nan")}, step=1)
        record.log_text("weights", "checkpoints/best.txt")
    outage.clear()
    folder = tmp_path / f"maxexp-unsent-{record.run_id}"
    text = str(caught.value)
    assert f"`python -m maxexp.tracking {folder}`" in text and "\n" not in text
    assert "1 artifact (checkpoints/best.txt), 2 points and the status FINISHED" in text
    assert (status(record), steps(record, "x")) == ("RUNNING", [])

    assert send_by_command(folder) == 0
    assert (status(record), steps(record, "x"), record.recorded().metrics["x"]) == ("FINISHED", [1], 0.1)
    assert record.download_artifact("checkpoints/best.txt").read_text() == "weights"
    assert list(tmp_path.iterdir()) == []


def test_the_next_run_sends_what_an_earlier_one_left(start, outage, steps, status, tmp_path):
    with pytest.raises(UnsentError), start() as record:
        outage.set()
        record.log_metrics({"x": 1}, step=1)
    outage.clear()
    with start():
        assert (status(record), steps(record, "x")) == ("FINISHED", [1])
        assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_during_an_outage_loses_nothing(config, outage, steps, status, tmp_path):
    """It wrote what it had; here it only seems to be dead."""
    record = RunRecord.start(config).__enter__()
    outage.set()
    record.log_metrics({"x": 1}, step=1)
    record.log_text("weights", "checkpoints/best.txt")
    outage.clear()
    folder = tmp_path / f"maxexp-unsent-{record.run_id}"
    with pytest.raises(TrackingError, match=r"^run \w+ still goes on, and sends .* itself"):
        send_unsent(folder)
    content = json.loads((folder / "run.json").read_text())
    dead = content["owner"][PROCESS_TICKS] + "0"
    content["owner"][PROCESS_TICKS] = dead
    (folder / "run.json").write_text(json.dumps(content))
    record.client.set_tag(record.run_id, PROCESS_TICKS, dead)
    with RunRecord.resume(config, record.run_id) as resumed:
        resumed.log_metrics({"x": 9}, step=1)
        resumed.log_metrics({"x": 2}, step=2)
        assert steps(record, "x") == [1, 2]
        assert resumed.download_artifact("checkpoints/best.txt").read_text() == "weights"
    record._open.close()


def test_a_run_that_waits_at_its_end_for_the_store_finishes(start, config, outage, status, caplog, tmp_path, steps):
    patient = replace(config, patience_s=60.0)
    with RunRecord.start(patient) as record:
        outage.set()
        record.log_metrics({"x": 1}, step=1)
        threading.Timer(0.5, outage.clear).start()
    assert (status(record), steps(record, "x")) == ("FINISHED", [1])
    assert "waiting for it, Ctrl-C leaves the rest in" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_after_ctrl_c_nobody_waits(config, outage, tmp_path):
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), RunRecord.start(replace(config, patience_s=60.0)) as record:
        outage.set()
        raise KeyboardInterrupt
    assert time.monotonic() - began < 20
    content = json.loads((tmp_path / f"maxexp-unsent-{record.run_id}" / "run.json").read_text())
    assert content["end"]["status"] == "KILLED" and content["tags"] == {KILLED_REASON: "KeyboardInterrupt"}


def test_a_patient_start_waits_for_the_store(config, outage, status):
    outage.set()
    with pytest.raises(TrackingError, match="cannot open experiment"):
        RunRecord.start(replace(config, patience_s=60.0))
    threading.Timer(0.5, outage.clear).start()
    with RunRecord.start(replace(config, patience_s=60.0), patient=True) as record:
        pass
    assert status(record) == "FINISHED"


def test_a_creation_whose_answer_is_lost_makes_one_run(config, outage, monkeypatch):
    create = MlflowClient.create_run
    lost = []

    def create_and_lose(*args, **kwargs):
        run = create(*args, **kwargs)
        if not lost:
            lost.append(run.info.run_id)
            raise MlflowException("API request to http://server failed")
        return run

    monkeypatch.setattr(MlflowClient, "create_run", create_and_lose)
    with RunRecord.start(replace(config, experiment="creation", patience_s=60.0)) as record:
        assert [record.run_id] == lost
        assert len(record.client.search_runs([record.experiment_id])) == 1


def test_folder_of_an_outage_does_not_end_a_run_that_went_on_elsewhere(start, outage, steps, status):
    with pytest.raises(TrackingError), start() as record:
        outage.set()
        for step in (1, 2):
            record.log_metrics({"x": 0.5}, step=step)
        record.log_text("old", "made.txt")
        record.log_text("old", "missing.txt")
    outage.clear()
    record.client.set_tag(record.run_id, "maxexp.process_started", "1.0")
    record.client.log_metric(record.run_id, "x", 0.25, step=1)
    record.client.log_text(record.run_id, "new", "made.txt")
    assert main([f"maxexp-unsent-{record.run_id}"]) == 0
    assert (status(record), sorted(steps(record, "x"))) == ("RUNNING", [1, 2])
    texts = [record.download_artifact(path).read_text() for path in ("made.txt", "missing.txt")]
    assert texts == ["new", "old"]


def test_exception_of_the_work_is_not_hidden_by_an_outage(start, outage, caplog, tmp_path):
    with pytest.raises(ZeroDivisionError), start() as record:
        outage.set()
        raise ZeroDivisionError("by zero")
    folder = tmp_path / f"maxexp-unsent-{record.run_id}"
    content = json.loads((folder / "run.json").read_text())
    assert content["end"]["status"] == "FAILED"
    assert content["tags"]["error"] == "ZeroDivisionError: by zero"
    assert "ZeroDivisionError" in next((folder / "artifacts" / "errors").iterdir()).read_text()
    assert str(folder) in caplog.text


def test_what_the_store_refuses_is_named_and_keeps_nothing_else_from_it(start, status, steps, monkeypatch, tmp_path):
    store = MlflowClient.log_artifact

    def choosy(client, run_id, path, folder=None):
        if path.endswith("large.txt"):
            raise MlflowException("too large", error_code=1000)  # INVALID_PARAMETER_VALUE
        store(client, run_id, path, folder)

    with monkeypatch.context() as patch, pytest.raises(UnsentError, match=r"1 artifact \(large.txt\) .*too large"):
        patch.setattr(MlflowClient, "log_artifact", choosy)
        with start() as record:
            record.log_text("x", "large.txt")
            record.log_text("y", "small.txt")
            record.log_metrics({"x": 1}, step=1)
    assert (status(record), steps(record, "x")) == ("FINISHED", [1])
    assert record.download_artifact("small.txt").read_text() == "y"
    assert main([f"maxexp-unsent-{record.run_id}"]) == 0
    assert record.download_artifact("large.txt").read_text() == "x"


def test_system_metrics_of_an_outage_arrive_later(uri, outage, steps):
    def sampled(record):
        return record._known.next_step("system/")

    def wait_for(record, samples):
        deadline = time.monotonic() + 60
        while sampled(record) < samples and time.monotonic() < deadline:
            time.sleep(0.05)

    config = TrackingConfig(uri=uri, experiment="tests", system_metrics_interval_s=0.1)
    with RunRecord.start(config) as record:
        wait_for(record, 1)
        outage.set()
        during = sampled(record) + 3
        wait_for(record, during)
        outage.clear()
        wait_for(record, during + 1)
    assert steps(record, "system/cpu_utilization_percentage") == list(range(sampled(record)))
    assert sampled(record) > during


@pytest.mark.parametrize("content", ["{}", "[]", "no json", '{"uri": 1}', "[" * 100_000])
def test_other_folders_are_not_sent(tmp_path, content, capsys):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "run.json").write_text(content)
    assert main(["x"]) == 1
    assert "is no folder of unsent results" in capsys.readouterr().err
