"""A training that is killed and resumed again and again, beside one that nothing disturbed."""

import random
import re
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psutil
import torch

from experiments.reliability.processes import Started, left_running, start

EPOCHS = 12
COMMAND = [f"trainer.max_epochs={EPOCHS}", "stages=[train]", "dataset.limit=300", "tracking.system_metrics=false"]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LATEST_S = 4.0
"""A kill comes at most so long after the training was seen to run."""


def undisturbed(folder: Path) -> None:
    """The training that others are compared with."""
    folder.mkdir(parents=True, exist_ok=True)
    code = start(COMMAND, folder).wait()
    if code:
        raise SystemExit((folder / "output.txt").read_text()[-2000:])


def torment(folder: Path, kills: int, draw: random.Random, reference: Path) -> tuple[list[dict], list[str]]:
    """Kill a training so many times at most, resume it, let it end; the kills, and what was wrong."""
    done: list[dict] = []
    wrong: list[str] = []
    arguments = COMMAND
    while True:
        process = start(arguments, folder)
        seen = len((folder / "output.txt").read_text())
        if len(done) < kills and _began(process, folder, seen):
            time.sleep(draw.uniform(0, LATEST_S))
            if process.poll() is None:
                family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                sent = draw.choice(SIGNALS)
                process.send_signal(sent)
                process.wait()
                wrong += left_running(family[1:])
                done.append({"what": "training", "target": "all", "signal": sent.name, "workers": 1})
                print(f"training: kill {len(done)}: {sent.name}", flush=True)
        if code := process.wait():
            if process.returncode == 1 and "cannot fetch artifact config/resolved.yaml" in _said(folder, seen):
                arguments = COMMAND  # killed before its configuration was stored: nothing had begun
                continue
            if len(done) and done[-1].get("code") is None:
                done[-1]["code"] = code
                if "FINISHED" in _statuses(folder):  # it was killed after its end
                    return done, wrong + check(folder, reference)
            else:
                return done, [*wrong, f"ended with {code}: {_said(folder, seen)[-500:]}"]
            arguments = _resumption(folder)
            continue
        return done, wrong + check(folder, reference)


def _began(process: Started, folder: Path, seen: int) -> bool:
    """Wait until the run is there; whether the process still lives."""
    while process.poll() is None:
        if re.search(r"run [0-9a-f]{32} in ", _said(folder, seen)):
            return True
        time.sleep(0.1)
    return False


def _said(folder: Path, since: int) -> str:
    return (folder / "output.txt").read_text()[since:]


def _statuses(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "mlruns/mlflow.db")) as mlflow:
        return [status for (status,) in mlflow.execute("select status from runs")]


def _resumption(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "mlruns/mlflow.db")) as mlflow:
        (run,) = mlflow.execute("select run_uuid from runs order by start_time desc limit 1").fetchone()
    return [f"resume={run}"]


def check(folder: Path, reference: Path) -> list[str]:
    """Every point once and as in the undisturbed training, equal weights, one finished run, no helper files left."""
    ours, theirs = _curves(folder), _curves(reference)
    wrong = [f"statuses {ours['statuses']}"] if "FINISHED" not in ours["statuses"] else []
    wrong += [f"still RUNNING: {ours['statuses']}"] if "RUNNING" in ours["statuses"] else []
    wrong += [
        f"points of {key} differ" for key in theirs["points"] if ours["points"].get(key) != theirs["points"][key]
    ]
    for name in ("float_best.pth.tar", "qat_best.pth.tar"):
        a, b = (_tensors(each, name) for each in (folder, reference))
        if a.keys() != b.keys() or not all(torch.equal(a[key], b[key]) for key in a):
            wrong.append(f"weights of {name} differ")
    wrong += [f"left {path.name}" for path in folder.glob("mlruns/artifacts/*/artifacts/checkpoints/resume-*")]
    return wrong


def _curves(folder: Path) -> dict:
    with closing(sqlite3.connect(folder / "mlruns/mlflow.db")) as mlflow:
        rows = mlflow.execute(
            "select key, step, value from metrics join runs using (run_uuid) where status = 'FINISHED' and key in "
            "('val/accuracy', 'val/loss', 'train/loss') order by key, step"
        ).fetchall()
        statuses = [status for (status,) in mlflow.execute("select status from runs")]
    points: dict[str, list] = {}
    for key, step, value in rows:
        points.setdefault(key, []).append((step, value))
    return {"statuses": statuses, "points": points}


def _tensors(folder: Path, name: str) -> dict[str, torch.Tensor]:
    (path,) = folder.glob(f"mlruns/artifacts/*/artifacts/checkpoints/{name}")
    return torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
