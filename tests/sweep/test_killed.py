"""Sweeps of several processes, killed at random and started again with the same command."""

import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.stores import empty_store
from tests.sweep.conftest import call, start

OBJECTIVES = "hydra.sweeper.objectives={val/best_accuracy:maximize,hw/latency_us:minimize}"
COMMAND = (
    "hydra/sweeper=maxexp",
    OBJECTIVES,
    "model.layers.conv1.out_channels=range(4,29,4)",
    "recipe.learning_rate=tag(log,interval(1e-3,2e-2))",
    "stages=[train,synthesize]",
    "tracking.system_metrics=false",
    "hydra.sweeper.study=killed",
    "hydra.sweeper.grace_s=20",
)


def kill_group(process: subprocess.Popen) -> None:
    """SIGKILL to the command and, as when power fails, to all its workers at once."""
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for member in family:
        member.kill()
    psutil.wait_procs(family)
    process.wait()


def finished(folder: Path) -> int:
    database = folder / "mlruns/sweeps.db"
    if not database.exists():
        return 0
    with sqlite3.connect(database) as connection:
        try:
            return connection.execute("select count(*) from trials where state = 'COMPLETE'").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


def check(folder: Path, trials: int) -> None:
    """Exactly the trials asked for, all different, none repeated; study and MLflow agree; nothing runs."""
    with (
        sqlite3.connect(folder / "mlruns/sweeps.db") as study,
        sqlite3.connect(folder / "mlruns/mlflow.db") as mlflow,
    ):
        numbers = [n for (n,) in study.execute("select number from trials order by number")]
        states = {state for (state,) in study.execute("select distinct state from trials")}
        points = study.execute(
            "select group_concat(param_name || param_value) from (select * from trial_params order by param_name) "
            "group by trial_id"
        ).fetchall()
        values = study.execute(
            "select number, objective, value from trial_values join trials using (trial_id)"
        ).fetchall()
        runs = mlflow.execute("select run_uuid, status from runs").fetchall()
        tags = dict(mlflow.execute("select run_uuid, value from tags where key = 'sweep.trial'").fetchall())
        metrics = mlflow.execute("select run_uuid, key, value from latest_metrics").fetchall()
    assert numbers == list(range(trials)) and states == {"COMPLETE"}
    assert len(set(points)) == len(points) == trials
    assert sorted(map(int, tags.values())) == numbers
    assert len(runs) == trials + 1 and {status for _, status in runs} == {"FINISHED"}
    recorded = {(int(tags[run]), key): value for run, key, value in metrics if run in tags}
    for number, objective, value in values:
        assert recorded[number, ("val/best_accuracy", "hw/latency_us")[objective]] == value
    folders = {path.name for path in (folder / "mlruns/sweeps/killed").iterdir() if path.is_dir()}
    assert folders == {f"{number:04d}" for number in numbers}
    for log in (folder / "mlruns/sweeps/killed").glob("*/trial.log"):
        trained = [int(epoch) for epoch in re.findall(r"epoch (\d+)/", log.read_text())]
        # One that was trained but not yet saved comes again, none before it.
        assert trained == sorted(trained) and set(trained) == set(range(1, max(trained) + 1)), (log, trained)


def torment(folder: Path, trials: int, kills: int, epochs: int, seed: int) -> None:
    """Kill the sweep so many times, at random moments between two finished trials, then let it end."""
    draw = random.Random(seed)
    empty_store(folder)
    arguments = (
        *COMMAND,
        f"hydra.sweeper.trials={trials}",
        "hydra.sweeper.workers=2",
        f"trainer.max_epochs={epochs}",
    )
    for kill in range(kills):
        process = start(*arguments, cwd=folder)
        goal = min(trials - 2, (kill + 1) * trials // (kills + 1))
        while finished(folder) < goal and process.poll() is None:
            time.sleep(0.2)
        time.sleep(draw.uniform(0, 3))
        assert process.poll() is None, (folder / "output.txt").read_text()
        if kill % 3 == 2:
            # A worker alone: the command replaces it, and the trial goes on.
            workers = psutil.Process(process.pid).children()
            draw.choice(workers).kill()
            time.sleep(draw.uniform(0, 5))
        kill_group(process)
    done = call(*arguments, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    check(folder, trials)


@pytest.mark.slow  # a minute; experiments/reliability kills sweeps a hundred times
@pytest.mark.timeout(1800)
def test_a_killed_sweep_goes_on(tmp_path):
    torment(tmp_path, trials=5, kills=1, epochs=3, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_sixty_trials_and_ten_kills(tmp_path):
    torment(tmp_path, trials=60, kills=10, epochs=4, seed=2)


@pytest.mark.timeout(1800)
def test_ctrl_c_closes_the_runs_and_the_workers_end(tmp_path):
    empty_store(tmp_path)
    arguments = (*COMMAND, "hydra.sweeper.trials=3", "hydra.sweeper.workers=1", "trainer.max_epochs=400")
    process = start(*arguments, cwd=tmp_path)
    deadline = time.monotonic() + 600
    while not list(tmp_path.glob("mlruns/sweeps/killed/0000/resume-*.ckpt")) and time.monotonic() < deadline:
        assert process.poll() is None, (tmp_path / "output.txt").read_text()
        time.sleep(0.2)
    workers = psutil.Process(process.pid).children()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(300) == 130
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    assert (
        "resume with the same command, or: python -m maxexp.sweep resume killed"
        in (tmp_path / "output.txt").read_text()
    )
    with sqlite3.connect(tmp_path / "mlruns/mlflow.db") as mlflow:
        assert {status for (status,) in mlflow.execute("select status from runs")} == {"KILLED"}
    with sqlite3.connect(tmp_path / "mlruns/sweeps.db") as study:
        assert {state for (state,) in study.execute("select state from trials")} == {"WAITING"}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_commands_at_once_share_the_work(tmp_path):
    """As on two machines: one leads, the other takes part; both end when all trials are there."""
    space = ("model.layers.conv1.out_channels=range(4,29,4)", "model.layers.conv2.out_channels=range(4,33,4)")
    objectives = "hydra.sweeper.objectives={val/best_accuracy:maximize,hw/latency_us:minimize}"
    settings = ("hydra.sweeper.study=killed", "hydra.sweeper.trials=12", "trainer.max_epochs=1")
    common = ("stages=[train,synthesize]", "tracking.system_metrics=false")
    arguments = ("hydra/sweeper=maxexp", objectives, *settings, *space, *common)
    both = [start(*arguments, cwd=tmp_path) for _ in range(2)]
    assert [process.wait(1800) for process in both] == [0, 0], (tmp_path / "output.txt").read_text()
    check(tmp_path, 12)
    with sqlite3.connect(tmp_path / "mlruns/sweeps.db") as study:
        owners = study.execute("select count(distinct value_json) from trial_user_attributes where key = 'worker'")
        assert owners.fetchone() == (2,)
