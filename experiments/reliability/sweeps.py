"""A sweep that is killed again and again while its workers are at work, and what came of it."""

import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import psutil

from experiments.reliability.processes import alive, descendants, left_running, start, workers

TRIALS, WORKERS = 12, 2
STUDY = "killed"
COMMAND = [
    "-m",
    "hydra/sweeper=maxexp",
    "hydra.sweeper.objectives={val/best_accuracy:maximize,hw/latency_us:minimize}",
    "model.layers.conv1.out_channels=range(4,29,4)",
    "recipe.learning_rate=tag(log,interval(1e-3,2e-2))",
    "stages=[train,synthesize]",
    "trainer.max_epochs=1",
    "dataset.limit=300",
    "tracking.system_metrics=false",
    f"hydra.sweeper.study={STUDY}",
    f"hydra.sweeper.trials={TRIALS}",
    f"hydra.sweeper.workers={WORKERS}",
    "hydra.sweeper.attempts=100",
    "hydra.sweeper.grace_s=20",
]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TARGETS = ("leader", "worker", "all")
LATEST_S = 4.0
"""A kill comes at most so long after a worker was seen at work."""


def query(folder: Path, text: str) -> list[tuple]:
    """Rows of the sweep's database; none while that is not there or busy."""
    try:
        with closing(sqlite3.connect(folder / "mlruns/sweeps.db", timeout=10)) as database:
            return database.execute(text).fetchall()
    except sqlite3.OperationalError:
        return []


def running_trials(folder: Path) -> int:
    """How many trials are being worked on."""
    return len(query(folder, "select trial_id from trials where state = 'RUNNING'"))


def torment(folder: Path, kills: int, draw: random.Random) -> tuple[list[dict], list[str]]:
    """Kill a sweep so many times at most, then let it end; the kills, and what was wrong."""
    done: list[dict] = []
    wrong: list[str] = []
    families: list[psutil.Process] = []
    while True:
        process = start(COMMAND, folder)
        while len(done) < kills and process.poll() is None:
            if not (running_trials(folder) and workers(process)):
                time.sleep(0.1)
                continue
            time.sleep(draw.uniform(0, LATEST_S))
            target, sent = draw.choice(TARGETS), draw.choice(SIGNALS)
            ours = workers(process)
            if process.poll() is not None or not ours or not running_trials(folder):
                continue
            family = descendants(process)
            families += family
            for each in {"leader": [], "worker": [draw.choice(ours)], "all": family}[target]:
                if alive(each):
                    each.send_signal(sent)
            if target != "worker":
                process.send_signal(sent)
            done.append({"what": "sweep", "target": target, "signal": sent.name, "workers": len(ours)})
            print(f"sweep: kill {len(done)}: {target} {sent.name}, {len(ours)} workers", flush=True)
            if target != "worker":
                process.wait()
                if draw.random() < 0.5:  # otherwise the command is given again at once
                    wrong += left_running(family)
                break
        else:
            code = process.wait()
            if code:
                wrong.append(f"the sweep ended with {code}: {(folder / 'output.txt').read_text()[-500:]}")
            return done, wrong + left_running(families) + check(folder)


def check(folder: Path) -> list[str]:
    """Exactly the trials asked for, all different, none repeated; study and records agree; all is closed."""
    with closing(sqlite3.connect(folder / "mlruns/sweeps.db")) as study:
        trials = study.execute("select number, state from trials order by number").fetchall()
        points = study.execute(
            "select group_concat(param_name || param_value) from (select * from trial_params order by param_name) "
            "group by trial_id"
        ).fetchall()
        values = study.execute(
            "select number, objective, value from trial_values join trials using (trial_id)"
        ).fetchall()
    with closing(sqlite3.connect(folder / "mlruns/mlflow.db")) as mlflow:
        runs = mlflow.execute("select run_uuid, status from runs").fetchall()
        tags = dict(mlflow.execute("select run_uuid, value from tags where key = 'sweep.trial'").fetchall())
        metrics = mlflow.execute("select run_uuid, key, value from latest_metrics").fetchall()
        points_logged = mlflow.execute(
            "select run_uuid, key, step from metrics where key like 'val/%' or key like 'train/%' order by key, step"
        ).fetchall()
    wrong = []
    if trials != [(number, "COMPLETE") for number in range(TRIALS)]:
        wrong.append(f"trials {trials}")
    if len(set(points)) != len(trials):
        wrong.append("equal trials")
    if sorted(map(int, tags.values())) != list(range(TRIALS)) or len(runs) != TRIALS + 1:
        wrong.append(f"{len(runs)} runs, of trials {sorted(tags.values())}")
    if {status for _, status in runs} != {"FINISHED"}:
        wrong.append(f"statuses {sorted(status for _, status in runs)}")
    recorded = {(int(tags[run]), key): value for run, key, value in metrics if run in tags}
    names = ("val/best_accuracy", "hw/latency_us")
    wrong += [f"trial {n}: {v} in the study" for n, o, v in values if recorded.get((n, names[o])) != v]
    wrong += _curves_wrong(points_logged, tags)
    wrong += [f"unsent {path.name}" for path in folder.glob("maxexp-unsent-*")]
    wrong += [f"left {path.name}" for path in folder.glob("mlruns/artifacts/*/artifacts/checkpoints/resume-*")]
    return wrong


def _curves_wrong(logged: list[tuple], tags: dict[str, str]) -> list[str]:
    """Points that a trial has twice, and trials that have other points than most."""
    curves = {trial: [(key, step) for run, key, step in logged if run == uuid] for uuid, trial in tags.items()}
    usual, _ = Counter(map(tuple, curves.values())).most_common(1)[0]
    wrong = [f"doubled points of trial {trial}" for trial, points in curves.items() if len(set(points)) < len(points)]
    return wrong + [
        f"trial {trial} has the points {points}" for trial, points in curves.items() if tuple(points) != usual
    ]
