"""Sweeps of this process and of others, in folders of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from mlflow.tracking import MlflowClient

from maxexp.cli.run import conf_dir
from maxexp.run.config import register_schema
from maxexp.sweep import coordinator
from maxexp.sweep.planning import make_plan
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.workers.launchers import Work
from maxexp.sweep.workers.results import Result, results
from maxexp.sweep.workers.study import SweepStudy
from maxexp.sweep.workers.worker import work

REPOSITORY = Path(__file__).resolve().parents[2]
COST_ONLY = ("stages=[synthesize]", "tracking.system_metrics=false")
"""Trials of a fraction of a second: the cost of an untrained network."""


@pytest.fixture(scope="session")
def mlflow_uri(tmp_path_factory) -> str:
    """One tracking store for all: to create one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture
def place(tmp_path, monkeypatch, mlflow_uri) -> Path:
    """A folder of its own with all studies of a test, runs going to the common store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_uri)
    return tmp_path


def planned(*arguments: str) -> Plan:
    """The plan of a command line ``python -m maxexp -m hydra/sweeper=maxexp ...``."""
    register_schema()
    chosen = [] if any(a.startswith("+sweep=") for a in arguments) else ["hydra/sweeper=maxexp"]
    ours = [a for a in arguments if a.startswith("hydra")]
    task = [a for a in arguments if not a.startswith("hydra")]
    fixed = [o.input_line for o in OverridesParser.create().parse_overrides(task) if not o.is_sweep_override()]
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        composed = compose("config", overrides=[*chosen, *ours, *fixed], return_hydra_config=True)
        return make_plan(dict(composed.hydra.sweeper), task)


class InlineWorkers:
    """One worker, in this process: it returns when the study is over."""

    def __init__(self, chosen: Mapping[str, Any], work: Work) -> None:
        self._work = work.url, work.name, work.threads, work.plan

    def start(self, count: int) -> None:
        work(*self._work)

    def alive(self) -> int:
        return 0

    def stop(self) -> None:
        pass


@pytest.fixture
def sweep(place, monkeypatch) -> Callable[..., tuple[SweepStudy, list[Result]]]:
    """``sweep("model.width=0.5,1", ...)``: a sweep of this process and its trials."""

    monkeypatch.setattr(coordinator, "make_launcher", InlineWorkers)

    def sweep(*arguments: str, name: str = "study") -> tuple[SweepStudy, list[Result]]:
        plan = planned(*arguments)
        coordinator.Coordinator(plan, name).run()
        study = SweepStudy.open(plan.settings.storage, name)
        return study, results(study)

    return sweep


@pytest.fixture
def client(mlflow_uri) -> MlflowClient:
    return MlflowClient(mlflow_uri)


def environment(**further: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", **further}


def start(*arguments: str, cwd: Path, **further: str) -> subprocess.Popen:
    """``python -m maxexp -m ...`` in the background, as a group of processes of its own."""
    with open(cwd / "output.txt", "ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "maxexp", "-m", *arguments],
            cwd=cwd,
            env=environment(**further),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def call(*arguments: str, cwd: Path, module: str = "maxexp", **further: str) -> subprocess.CompletedProcess:
    """A command, until it ends."""
    command = [sys.executable, "-m", module, *(["-m"] if module == "maxexp" else []), *arguments]
    return subprocess.run(command, cwd=cwd, env=environment(**further), capture_output=True, text=True, timeout=3000)
