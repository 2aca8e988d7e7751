"""What the record says about processes that end, in real processes."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from maxexp.base.errors import TrackingError
from maxexp.tracking import RunRecord
from maxexp.tracking.owner import (
    KILLED_REASON,
    NAMESPACE,
    PROCESS_STARTED,
    PROCESS_TICKS,
    alive_on_this_host,
    close_abandoned_runs,
    identity,
    possibly_alive,
)

REPOSITORY = Path(__file__).parents[2]
WORK = """
import sys, time
from maxexp.tracking import RunRecord, TrackingConfig
config = TrackingConfig(uri=sys.argv[1], experiment=sys.argv[2], system_metrics_interval_s=0.2)
with RunRecord.start(config) as record:
    for step in range(4):
        record.log_metrics({"x": step}, step=step)
    print(record.run_id, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def process(uri, request):
    """A process that has logged four points and sleeps within its run."""
    child = subprocess.Popen(
        [sys.executable, "-c", WORK, uri, request.node.name],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )
    child.run_id = child.stdout.readline().strip()
    yield child
    child.kill()
    child.wait()


@pytest.fixture
def config_here(config, request):
    return replace(config, experiment=request.node.name)


@pytest.mark.parametrize("sign, reason", [("SIGTERM", "Terminated: SIGTERM"), ("SIGINT", "KeyboardInterrupt")])
def test_signal_that_can_be_caught(process, config_here, sign, reason):
    process.send_signal(getattr(signal, sign))
    assert process.wait(timeout=20) != 0
    run = RunRecord.start(config_here).client.get_run(process.run_id)
    assert run.info.status == "KILLED"
    assert run.data.tags[KILLED_REASON] == reason


def test_sigkill_is_noticed_by_the_next_run_and_can_be_resumed(process, config_here, status, steps):
    process.kill()
    process.wait()
    with RunRecord.start(config_here) as other:
        run = other.client.get_run(process.run_id)
    assert run.info.status == "KILLED"
    assert run.data.tags[KILLED_REASON] == f"process {process.pid} ended without closing the run"

    with RunRecord.resume(config_here, process.run_id) as record:
        assert status(record) == "RUNNING"
        for step in range(2, 6):
            record.log_metrics({"x": step}, step=step)
    assert record.run_id == process.run_id
    assert (status(record), steps(record, "x")) == ("FINISHED", [0, 1, 2, 3, 4, 5])
    assert KILLED_REASON not in record.tags()
    assert record.tags()["maxexp.pid"] == str(os.getpid())


def test_living_run_is_left_alone(process, config_here, status):
    with RunRecord.start(config_here) as other:
        assert other.client.get_run(process.run_id).info.status == "RUNNING"
    with pytest.raises(TrackingError, match=rf"^run \w+ is being written by process {process.pid} [^\n]*$"):
        RunRecord.resume(config_here, process.run_id)


def test_recycled_pid_is_not_taken_for_the_process():
    mine = identity()
    assert alive_on_this_host(mine)
    assert not alive_on_this_host({**mine, PROCESS_TICKS: mine[PROCESS_TICKS] + "0"})
    assert not alive_on_this_host({**mine, "maxexp.host": "elsewhere"})
    assert not alive_on_this_host({})


def test_runs_of_earlier_versions_name_their_process_by_the_clock_alone():
    mine = identity()
    del mine[PROCESS_TICKS]
    for seconds, alive in ((0, True), (1, True), (60, False)):
        assert alive_on_this_host({**mine, PROCESS_STARTED: f"{float(mine[PROCESS_STARTED]) - seconds:.2f}"}) is alive


def test_a_container_of_the_same_name_is_another_host(start, config, status):
    """Its processes have pids of their own: here they name nobody, or somebody else."""
    with start() as record:
        record.client.set_tag(record.run_id, PROCESS_STARTED, "1.00")
        record.client.set_tag(record.run_id, PROCESS_TICKS, "0")
        record.client.set_tag(record.run_id, NAMESPACE, "pid:[1]")
        tags = record.client.get_run(record.run_id).data.tags
        assert not alive_on_this_host(tags) and possibly_alive(tags)
        close_abandoned_runs(record.client, record.experiment_id)
        assert status(record) == "RUNNING"


def test_a_clock_that_is_set_changes_nothing(monkeypatch):
    before = identity()
    true_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: true_time(process) + 5)
    assert identity() == before and alive_on_this_host(before)


def test_a_forked_process_is_another():
    program = (
        "import os; from maxexp.tracking.owner import identity, alive_on_this_host\n"
        "mine = identity(); child = os.fork()\n"
        "if not child: os._exit(identity()['maxexp.pid'] != str(os.getpid()) or not alive_on_this_host(mine))\n"
        "assert os.waitpid(child, 0)[1] == 0"
    )
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=True)


def test_unknown_run_names_store_and_id(config):
    with pytest.raises(TrackingError, match=rf"^there is no run abc in tracking store {config.uri}: [^\n]*$"):
        RunRecord.resume(config, "abc")


def test_the_beginning_of_an_id_is_enough(start, config):
    """Tables show no more of it."""
    with pytest.raises(RuntimeError), start() as record:
        raise RuntimeError
    assert RunRecord.resume(config, record.run_id[:8]).run_id == record.run_id
    assert record.recorded(record.run_id[:8]).run_id == record.run_id
    with pytest.raises(TrackingError, match="no run that is left in .* has an id that begins with 00000000"):
        RunRecord.resume(config, "00000000")


def test_deleted_run_is_refused(start, config):
    with start() as record:
        pass
    record.client.delete_run(record.run_id)
    with pytest.raises(TrackingError, match=r"^run \w+ was deleted [^\n]*restore[^\n]*$"):
        RunRecord.resume(config, record.run_id)


def test_finished_run_is_refused(start, config, status):
    with start() as record:
        pass
    with pytest.raises(TrackingError, match=r"^run \w+ has finished[^\n]*$"):
        RunRecord.resume(config, record.run_id)
    assert status(record) == "FINISHED"


def test_nothing_changes_before_the_resumed_run_is_opened(start, config, status):
    with pytest.raises(KeyboardInterrupt), start() as record:
        raise KeyboardInterrupt
    before = record.tags()
    RunRecord.resume(config, record.run_id)
    assert status(record) == "KILLED"
    assert record.tags() == before


def test_result_without_step_is_replaced_after_a_resume(start, config, steps):
    with pytest.raises(OSError), start() as record:
        record.log_metrics({"test/accuracy_float": 0.5, "hw/cycles": 7})
        raise OSError("disk full")
    with RunRecord.resume(config, record.run_id) as record:
        record.log_metrics({"test/accuracy_float": 0.25, "hw/cycles": 7})
    assert record.metrics() == {"test/accuracy_float": 0.25, "hw/cycles": 7}
    assert (steps(record, "test/accuracy_float"), steps(record, "hw/cycles")) == ([0, 0], [0])


def test_a_result_that_goes_back_to_its_value_before_the_resume_is_not_lost(start, config):
    with pytest.raises(OSError), start() as record:
        record.log_metrics({"hw/cycles": 100})
        raise OSError("disk full")
    with RunRecord.resume(config, record.run_id) as record:
        for cycles in (105, 100):
            record.log_metrics({"hw/cycles": cycles})
    assert [value for _, value in record.history("hw/cycles")] == [100, 105, 100]


def test_resumed_run_forgets_its_earlier_error(start, config, status):
    with pytest.raises(OSError), start() as record:
        record.skip_stage("deploy", "no board")
        raise OSError("disk full")
    with RunRecord.resume(config, record.run_id) as record, record.stage("deploy"):
        pass
    assert status(record) == "FINISHED"
    assert not {"error", "stage.deploy.reason"} & set(record.tags())
    assert record.tags()["stage.deploy"] == "done"
