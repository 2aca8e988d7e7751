"""Engines that are asked to stop."""

import os
import time
from types import SimpleNamespace

import psutil
import pytest

from maxexp.sweep.workers import launchers
from maxexp.sweep.workers.launchers import JoblibLauncher, RayLauncher, Work
from tests.sweep.conftest import COST_ONLY, planned


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_joblibs_workers_end_at_once(tmp_path, monkeypatch):
    pytest.importorskip("joblib")

    def work(task: Work, *_: object) -> None:
        (task.folder / f"begun-{os.getpid()}").touch()
        time.sleep(3600)

    monkeypatch.setattr(launchers, "_work", work)
    workers = JoblibLauncher(
        Work(
            "", "study", 1, planned("hydra.sweeper.objectives={hw/macs:minimize}", "seed=1,2", *COST_ONLY), tmp_path
        ),
        {},
    )
    workers.start(2)
    while len(pids := [int(path.name.partition("-")[2]) for path in tmp_path.glob("begun-*")]) < 2:
        time.sleep(0.1)
    workers.stop()
    for thread, _ in workers._batches:
        thread.join()
    assert not any(map(psutil.pid_exists, pids))


def test_rays_workers_are_interrupted_and_the_late_ones_killed():
    calls = []

    def wait(tasks, num_returns, timeout):
        calls.append("wait")
        return tasks[:1], tasks[1:]

    workers = RayLauncher.__new__(RayLauncher)
    workers._tasks = ["quick", "late"]
    workers._ray = SimpleNamespace(
        cancel=lambda task, force=False: calls.append((task, force)),
        wait=wait,
        shutdown=lambda: calls.append("shutdown"),
    )
    workers.stop()
    assert calls == [("quick", False), ("late", False), "wait", ("late", True), "shutdown"]
