"""Runs in this process and in others, all in one tracking store."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from maxexp.run.execution import new_run
from maxexp.schema.config import Config
from tests.conftest import composed

REPOSITORY = Path(__file__).resolve().parents[1]


class Store:
    """A tracking store in a folder, with the runs of this test session."""

    def __init__(self, folder: Path) -> None:
        self.uri = f"sqlite:///{folder}/mlflow.db"
        self.client = MlflowClient(self.uri)
        self.folder = folder
        self._count = 0

    def experiment(self) -> str:
        """A fresh experiment, so that a test finds its own run."""
        self._count += 1
        return f"test{self._count}"

    def configuration(self, *overrides: str) -> Config:
        """Of a command line, for a fresh experiment of this store."""
        tracking = (f"tracking.uri={self.uri}", f"tracking.experiment={self.experiment()}")
        return composed(*overrides, *tracking, "tracking.system_metrics=false")

    def trained(self, folder: Path, *overrides: str) -> Run:
        """The run of a command line in this process."""
        config = self.configuration(*overrides)
        new_run(config, overrides, folder)
        return self.only_run(config.tracking.experiment)

    def only_run(self, experiment: str) -> Run:
        found = self.client.search_runs([self.client.get_experiment_by_name(experiment).experiment_id])
        assert len(found) == 1
        return found[0]

    def artifact(self, run: Run, path: str) -> Path:
        return Path(self.client.download_artifacts(run.info.run_id, path))

    def artifacts(self, run: Run, folder: str) -> set[str]:
        return {Path(entry.path).name for entry in self.client.list_artifacts(run.info.run_id, folder)}

    def curve(self, run: Run, key: str) -> list[tuple[int, float]]:
        return [(m.step, m.value) for m in self.client.get_metric_history(run.info.run_id, key)]


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def run_here(store: Store, tmp_path: Path) -> Callable[..., Run]:
    """Runs a command line in this process; the run is returned even where an error of a stage is expected."""

    def run(*overrides: str, error: type[Exception] | None = None, match: str = "") -> Run:
        config = store.configuration(*overrides)
        if error is None:
            new_run(config, overrides, tmp_path)
        else:
            with pytest.raises(error, match=match) as caught:
                new_run(config, overrides, tmp_path)
            assert "\n" not in str(caught.value)
        return store.only_run(config.tracking.experiment)

    return run


@pytest.fixture
def refused_here(store: Store, tmp_path: Path) -> Callable[..., str]:
    """Gives a command line that is refused before its first stage, which leaves no run; returns what is told."""

    def refused(*overrides: str, error: type[Exception], match: str) -> str:
        config = store.configuration(*overrides)
        with pytest.raises(error, match=match) as caught:
            new_run(config, overrides, tmp_path)
        assert "\n" not in str(caught.value)
        assert store.client.get_experiment_by_name(config.tracking.experiment) is None
        return str(caught.value)

    return refused


@pytest.fixture(scope="session")
def quickstart(store: Store, tmp_path_factory) -> Run:
    """The default run, trained once for all tests that look at it."""
    experiment = store.experiment()
    config = composed("+experiment=quickstart", f"tracking.uri={store.uri}", f"tracking.experiment={experiment}")
    new_run(config, ["+experiment=quickstart"], tmp_path_factory.mktemp("run"))
    return store.only_run(experiment)


def command(*arguments: str) -> list[str]:
    """The command line of ``python -m maxexp`` for a subprocess."""
    return [sys.executable, "-m", "maxexp", *arguments]


def call(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run ``python -m maxexp`` as a user would, from another folder."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
