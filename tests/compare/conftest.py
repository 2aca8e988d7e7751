"""Runs with known figures, written straight into a tracking store."""

import random
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mlflow.entities import Metric

from maxexp.chip.cost import Cost, network_cost
from maxexp.network.graph import Network, build_network
from maxexp.report.comparison.collect import RunDetails, collect
from maxexp.report.predictions import write_predictions
from maxexp.report.summary import cost_table
from maxexp.schema.config import Config, to_plain
from maxexp.tracking import RunRecord, TrackingConfig
from maxexp.tracking.artifacts import COST, PREDICTIONS
from maxexp.tracking.flatten import masked
from maxexp.tracking.reading import find_runs, read_run
from maxexp.tracking.store import Store, open_store
from tests.conftest import composed

CLASSES = [f"class{index}" for index in range(10)]
LABELS = np.arange(200) % 10


class Runs:
    """A store, and runs that are written into it."""

    def __init__(self, folder: Path) -> None:
        self.uri = f"sqlite:///{folder}/mlflow.db"
        self.store: Store = open_store(TrackingConfig(uri=self.uri))

    def write(
        self,
        name: str,
        *overrides: str,
        accuracy: float | None = 0.8,
        epochs: int = 5,
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        finish: bool = True,
    ) -> str:
        """A run as the pipeline leaves it, with chosen figures; its id."""
        config, network, cost = _costed(overrides)
        tags = {
            "model": network.name,
            "dataset": config.dataset.name,
            "quantization": config.quantization.method.name,
        }
        tracking = TrackingConfig(uri=self.uri, system_metrics=False)
        record = RunRecord.start(tracking, name, tags, masked(to_plain(config)) | (params or {}))
        points = [Metric(key, value, 0, 0) for key, value in (cost.metrics() | (metrics or {})).items()]
        points += _curves(epochs, accuracy or 0.1)
        record.client.log_batch(record.run_id, points)
        record.set_tags({"hw.source": "estimated"})
        record.log_dict(cost_table(cost), COST)
        if accuracy is not None:
            _log_predictions(record, accuracy)
        if finish:
            record.client.set_terminated(record.run_id)
        return record.run_id

    def details(self, *run_ids: str) -> list[RunDetails]:
        return [collect(read_run(self.store, run_id)) for run_id in run_ids]

    def find(self, query: str = "") -> list[RunDetails]:
        return [collect(run) for run in find_runs(self.store, query)]


@cache
def _costed(overrides: tuple[str, ...]) -> tuple[Config, Network, Cost]:
    config = composed("model=cmsisnnet", "dataset=cifar10", *overrides)
    network = build_network(config.model, config.dataset.shape)
    return config, network, network_cost(network, config.quantization.bits(network), config.device)


def _curves(epochs: int, accuracy: float) -> list[Metric]:
    shares = [(epoch + 1) / epochs for epoch in range(epochs)]
    curves = {
        "train/accuracy": [accuracy * share for share in shares],
        "val/accuracy": [0.9 * accuracy * share for share in shares],
        "train/loss": [2 - share for share in shares],
        "val/loss": [2.1 - share for share in shares],
    }
    return [Metric(key, value, 0, step) for key, values in curves.items() for step, value in enumerate(values)]


def _log_predictions(record: RunRecord, accuracy: float) -> None:
    """The last images are wrong, each taken for the class after its own."""
    right = round(accuracy * len(LABELS))
    predicted = np.where(np.arange(len(LABELS)) < right, LABELS, (LABELS + 1) % 10)
    record.log_metrics({"test/accuracy_integer": right / len(LABELS), "test/images": len(LABELS)})
    record.log_dataset("cifar10-test", "0123abcd", "test")
    with tempfile.TemporaryDirectory() as folder:
        file = write_predictions(Path(folder), {"integer": predicted, "labels": LABELS, "classes": np.array(CLASSES)})
        record.log_artifact(file, str(Path(PREDICTIONS).parent))


@pytest.fixture(scope="session")
def make_runs(tmp_path_factory) -> Callable[[], Runs]:
    """A fresh store."""
    return lambda: Runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def many_runs(make_runs) -> Runs:
    """300 runs of a sweep: nine networks, each 100 epochs long."""
    runs = make_runs()
    draw = random.Random(0)
    for index in range(300):
        model = draw.choice(["cmsisnnet", "simplenet", "nascifarnet"])
        params = {"seed": str(index), "recipe.learning_rate": draw.choice(["0.001", "0.002", "0.004"])}
        name, accuracy = f"{model} trial {index}", draw.uniform(0.7, 0.92)
        width = f"model.width={draw.choice([0.5, 0.75, 1.0])}"
        runs.write(name, f"model={model}", width, params=params, accuracy=accuracy, epochs=100)
    return runs
