import json
import logging
import runpy
import sys
import threading
import time

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from maxexp.base.errors import TrackingError
from maxexp.cli.tracking import main
from maxexp.tracking import RunRecord, TrackingConfig


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

    for name in ("get_run", "log_batch", "log_text", "set_terminated"):
        monkeypatch.setattr(MlflowClient, name, fragile(getattr(MlflowClient, name)))
    return gone


@pytest.fixture
def send_by_command(monkeypatch):
    """Runs ``python -m maxexp.tracking FILE`` within this process."""

    def send(file):
        monkeypatch.setattr(sys, "argv", ["tracking", str(file)])
        runpy.run_module("maxexp.tracking", run_name="__main__")

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
        assert record.tags()["stage.train"] == "done"
    assert list(tmp_path.iterdir()) == []


def test_lasting_outage_ends_in_a_file_that_can_be_sent(start, outage, steps, status, tmp_path, send_by_command):
    with pytest.raises(TrackingError) as caught, start() as record:
        outage.set()
        record.log_metrics({"x": 0.1, "nan": float("nan")}, step=1)
    outage.clear()
    file = tmp_path / f"maxexp-unsent-{record.run_id}.json"
    assert f"`python -m maxexp.tracking {file}`" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert json.loads(file.read_text())["status"] == "FINISHED"
    assert (status(record), steps(record, "x")) == ("RUNNING", [])

    with pytest.raises(SystemExit) as exit_:
        send_by_command(file)
    assert exit_.value.code == 0
    assert (status(record), steps(record, "x"), record.metrics()["x"]) == ("FINISHED", [1], 0.1)
    assert not file.exists()


def test_file_of_an_outage_does_not_end_a_run_that_went_on_elsewhere(start, outage, steps, status):
    with pytest.raises(TrackingError), start() as record:
        outage.set()
        record.log_metrics({"x": 1}, step=1)
    outage.clear()
    record.client.set_tag(record.run_id, "maxexp.process_started", "1.0")
    assert main([f"maxexp-unsent-{record.run_id}.json"]) == 0
    assert (status(record), steps(record, "x")) == ("RUNNING", [1])


def test_exception_of_the_work_is_not_hidden_by_an_outage(start, outage, caplog, tmp_path):
    with pytest.raises(ZeroDivisionError), start() as record:
        outage.set()
        raise ZeroDivisionError("by zero")
    content = json.loads((tmp_path / f"maxexp-unsent-{record.run_id}.json").read_text())
    assert content["status"] == "FAILED"
    assert content["tags"]["error"] == "ZeroDivisionError: by zero"
    assert f"maxexp-unsent-{record.run_id}.json" in caplog.text


def test_system_metrics_go_on_after_an_outage(uri, outage, steps):
    def wait_until(condition):
        deadline = time.monotonic() + 20
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert condition()

    def monitors():
        return [thread for thread in threading.enumerate() if thread.name == "SystemMetricsMonitor"]

    config = TrackingConfig(uri=uri, experiment="tests", system_metrics_interval_s=0.1)
    with RunRecord.start(config) as record:
        outage.set()
        record.log_metrics({"x": 1}, step=1)
        wait_until(lambda: not monitors())
        outage.clear()
        record.log_metrics({"x": 2}, step=2)
        wait_until(lambda: len(steps(record, "system/cpu_utilization_percentage")) > 1)


@pytest.mark.parametrize("content", ["{}", "[]", "no json"])
def test_other_files_are_not_sent(tmp_path, content, capsys):
    (tmp_path / "x.json").write_text(content)
    assert main(["x.json"]) == 1
    assert "is no file of unsent metrics" in capsys.readouterr().err


def test_artifact_during_an_outage_raises_one_line(start, outage):
    with start() as record:
        outage.set()
        with pytest.raises(TrackingError, match=r"^cannot store artifact x.txt [^\n]*does not answer[^\n]*$"):
            record.log_text("x", "x.txt")
        outage.clear()
