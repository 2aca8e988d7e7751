import math
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
import torch

from maxexp.base.errors import TrackingError
from maxexp.tracking import RunRecord, TrackingConfig


def test_ids_uri_and_name(start, config):
    with start() as record:
        run = record.client.get_run(record.run_id)
        assert run.info.experiment_id == record.experiment_id
        assert (record.uri, run.info.run_name, run.info.status) == (config.uri, "test", "RUNNING")


def test_configured_name_wins(uri):
    with RunRecord.start(TrackingConfig(uri=uri, run_name="mine", system_metrics=False), "other") as record:
        assert record.tags()["mlflow.runName"] == "mine"


def test_numbers_of_all_kinds_in_one_request(start, monkeypatch):
    with start() as record:
        calls = []
        log_batch = record.client.log_batch
        monkeypatch.setattr(
            record.client, "log_batch", lambda *args, **kwargs: (calls.append(1), log_batch(*args, **kwargs))
        )
        values = {"a/b": True, "np": np.float32(0.5), "t": torch.tensor(3), "i": 7}
        record.log_metrics({**values, "nan": math.nan, "inf": math.inf}, step=4)
        assert calls == [1]
        logged = record.metrics()
    assert {key: logged[key] for key in values} == {"a/b": 1.0, "np": 0.5, "t": 3.0, "i": 7.0}
    assert math.isnan(logged["nan"]) and logged["inf"] > 1e300


def test_runs_that_log_the_same_new_data_at_once_all_have_them(start):
    """Workers of a sweep do; MLflow's own check and insertion leave a moment in between."""
    with ThreadPoolExecutor(4) as pool, ExitStack() as stack:
        records = [stack.enter_context(start()) for _ in range(4)]
        for number in range(15):
            logged = [pool.submit(record.log_dataset, f"data{number}", "d", "train") for record in records]
            for done in logged:
                done.result()
        for record in records:
            assert len(record.client.get_run(record.run_id).inputs.dataset_inputs) == 15


@pytest.mark.parametrize("values", [{"x": "1"}, {"x": None}, {"x": np.zeros(2)}, {"x?": 1}, {"../x": 1}, {"": 1}])
def test_what_is_no_metric_is_refused_and_spoils_nothing(start, values):
    with start() as record:
        with pytest.raises(TrackingError, match=r"^[^\n]*metric[^\n]*$"):
            record.log_metrics({"good": 1, **values}, step=1)
        record.log_metrics({"after": 2}, step=1)
        assert record.metrics() == {"after": 2}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_result_that_is_no_number_is_not_recorded_as_good(start, status, value):
    with (
        pytest.raises(TrackingError, match=r"^result test/accuracy_float is -?(nan|inf), so it says nothing"),
        start() as record,
    ):
        record.log_metrics({"test/images": 7, "test/accuracy_float": value})
    assert status(record) == "FAILED" and record.recorded().metrics == {}


def test_250_params_and_a_long_one(start):
    params = {f"model.p{i}": str(i) for i in range(250)}
    with start(params={**params, "long": "x" * 7000}) as record:
        logged = record.params()
    assert logged.pop("long") == "x" * 5999 + "…"
    assert logged == params


def test_param_may_be_repeated_but_not_changed(start):
    with start(params={"seed": 1}) as record:
        record.log_params({"seed": 1, "new": None})
        with pytest.raises(TrackingError, match=r"^param 'seed' of run \w+ is '1' and cannot become '2'[^\n]*$"):
            record.log_params({"seed": 2})
        assert record.params() == {"seed": "1", "new": "None"}


def test_start_that_fails_leaves_no_running_run(start, config):
    with start() as record, pytest.raises(TrackingError):
        start(params={"bad?name": 1}, tags={"mark": "broken"})
    broken = record.client.search_runs([record.experiment_id], "tags.mark = 'broken'")
    assert [run.info.status for run in broken] == ["FAILED"]


def test_stages(start):
    with start() as record:
        with record.stage("train"):
            assert "stage.train" not in record.tags()
        with pytest.raises(KeyboardInterrupt), record.stage("quantize"):
            raise KeyboardInterrupt
        record.skip_stage("deploy", "no board")
        tags = record.tags()
    assert {key: tags[key] for key in tags if key.startswith("stage")} == {
        "stage.train": "done",
        "stage.quantize": "failed",
        "stage.deploy": "skipped",
        "stage.deploy.reason": "no board",
    }


def test_artifacts_come_back(start, tmp_path):
    (tmp_path / "net.yaml").write_text("layers:")
    with start() as record:
        record.log_artifact(tmp_path / "net.yaml", "synthesis")
        record.log_text("hello", "notes/a.txt")
        record.log_dict({"a": 1}, "config/a.yaml")
        assert record.download_artifact("synthesis/net.yaml").read_text() == "layers:"
        assert record.download_artifact("notes/a.txt").read_text() == "hello"
        assert record.download_artifact("config/a.yaml").read_text() == "a: 1\n"


def test_figure_becomes_a_picture(start):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    with start() as record:
        record.log_figure(figure, "plots/x.png")
        assert record.download_artifact("plots/x.png").read_bytes().startswith(b"\x89PNG")


def test_missing_artifacts_are_refused(start):
    with start() as record:
        with pytest.raises(TrackingError, match="^artifact none.txt does not exist"):
            record.log_artifact("none.txt")
        with pytest.raises(TrackingError, match="^cannot fetch artifact none.txt"):
            record.download_artifact("none.txt")


def test_an_artifact_can_be_deleted(start):
    with start() as record:
        record.log_text("a", "plots/note.txt")
        record.log_text("b", "plots/other.txt")
        for _ in range(2):  # one that is not there is no error
            record.delete_artifact("plots/note.txt")
        assert record.recorded().artifacts("plots") == ["plots/other.txt"]


def test_dataset_is_an_input_of_the_run(start):
    with start() as record:
        for _ in range(2):  # a resumed run says it again
            record.log_dataset("cifar10", "d" * 64, "train")
        (used,) = record.client.get_run(record.run_id).inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("cifar10", "d" * 36)
    assert [(tag.key, tag.value) for tag in used.tags] == [("mlflow.data.context", "train")]


def test_system_metrics_continue_in_a_resumed_run(uri, steps, capfd):
    key = "system/cpu_utilization_percentage"
    config = TrackingConfig(uri=uri, experiment="tests", system_metrics_interval_s=0.1)

    def wait_for_points(record, at_least):
        deadline = time.monotonic() + 20
        while len(steps(record, key)) < at_least and time.monotonic() < deadline:
            time.sleep(0.05)

    with pytest.raises(KeyboardInterrupt), RunRecord.start(config) as record:
        wait_for_points(record, 2)
        raise KeyboardInterrupt
    first = steps(record, key)
    with RunRecord.resume(config, record.run_id) as record:
        wait_for_points(record, len(first) + 2)
    points = steps(record, key)
    assert len(first) >= 2 and len(points) >= len(first) + 2
    assert points == list(range(len(points)))
    assert {"system/system_memory_usage_megabytes", "system/disk_usage_percentage"} <= set(record.metrics())
    assert capfd.readouterr() == ("", "")
