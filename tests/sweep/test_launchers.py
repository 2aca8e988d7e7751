"""Engines that are asked to stop."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from maxexp.sweep.workers import launchers
from maxexp.sweep.workers.launchers import JoblibWorkers, RayWorkers


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_joblibs_workers_end_at_once(tmp_path, monkeypatch):
    pytest.importorskip("joblib")

    def work(folder: str, *_: object) -> None:
        Path(folder, f"begun-{os.getpid()}").touch()
        time.sleep(3600)

    monkeypatch.setattr(launchers, "_work", work)
    workers = JoblibWorkers({}, (str(tmp_path), "study", 1), tmp_path)
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

    workers = RayWorkers.__new__(RayWorkers)
    workers._tasks = ["quick", "late"]
    workers._ray = SimpleNamespace(
        cancel=lambda task, force=False: calls.append((task, force)),
        wait=wait,
        shutdown=lambda: calls.append("shutdown"),
    )
    workers.stop()
    assert calls == [("quick", False), ("late", False), "wait", ("late", True), "shutdown"]
