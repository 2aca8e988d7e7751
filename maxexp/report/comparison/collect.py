"""What the tracking store and the artifacts of a run say of it."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, TypeVar

from maxexp.base.errors import FormatError, TrackingError
from maxexp.base.json_file import read_json
from maxexp.base.metrics import Metric
from maxexp.chip.config import known_parts
from maxexp.chip.metrics import CYCLES
from maxexp.report.predictions import Predictions, read_predictions
from maxexp.tasks.metrics import SELECTING, selecting_score
from maxexp.tracking.artifacts import COST, PREDICTIONS, RANGES
from maxexp.tracking.metrics import CURVES
from maxexp.tracking.reading import RecordedRun, find_restored, find_runs, read_run
from maxexp.tracking.store import Store
from maxexp.training.metrics import QAT_EPOCH, TEST_IMAGES

Content = TypeVar("Content")

log = logging.getLogger(__name__)

CURVED_RUNS = 40
"""Runs whose curves are read, the first in rank: each curve is a request to the store."""
TESTED = tuple(metric for score in SELECTING.values() for metric in (score.test_integer, score.test_float))
VALIDATED = tuple(metric for score in SELECTING.values() for metric in (score.validation_integer, score.chosen))
"""By which runs are ranked, the first that a run has."""


@dataclass(frozen=True)
class RunDetails:
    """A run with its curves and the artifacts that tables and pages show; None for what it has not got.

    Attributes:
        curves: points (epoch from 0, value) by metric.
        cost: content of ``synthesis/cost.json``.
        ranges: content of ``evaluation/ranges.json``.
    """

    run: RecordedRun
    curves: Mapping[str, Sequence[tuple[int, float]]]
    cost: Mapping[str, Any] | None = None
    predictions: Predictions | None = None
    ranges: Mapping[str, Any] | None = None

    @property
    def model(self) -> str:
        return self.run.tags.get("model", "unknown")

    @property
    def dataset(self) -> str:
        return self.run.tags.get("dataset", "unknown")

    @property
    def qat_epoch(self) -> int | None:
        """Returns the first quantization-aware epoch, from 0, where the run has trained some."""
        epoch = self.run.metrics.get(QAT_EPOCH.key)
        return None if epoch is None else int(epoch)

    @property
    def test_data(self) -> str | None:
        """Returns the digest of the test images, where the run has looked at them."""
        return self.run.data.get(f"{self.dataset}-test")


def select_runs(store: Store, run_ids: Sequence[str], query: str | None) -> tuple[list[RecordedRun], list[str]]:
    """The runs asked for, and a sentence for each that cannot be shown.

    Args:
        run_ids: of single runs, or how they begin; deleted and unknown ones do not stop the others.
        query: in MLflow's search syntax; None for no search.

    Raises:
        TrackingError: the query is not valid, or nothing is left to compare.
    """
    runs: dict[str, RecordedRun] = {}
    notes = []
    for run_id in run_ids:
        try:
            run = _find(store, run_id)
        except TrackingError as error:
            notes.append(f"Run {run_id} is not shown: {error}")
            continue
        if run.deleted:
            notes.append(f"Run {run.name} ({run_id}) was deleted and is not shown.")
        else:
            runs[run.run_id] = run
    if query is not None:
        found = [run for run in find_runs(store, query) if run.run_id not in runs]
        networks = [run for run in found if "model" in run.tags]
        if len(networks) < len(found):
            notes.append(f"{len(found) - len(networks)} of the runs found have no network and are not shown.")
        runs |= {run.run_id: run for run in networks}
    if not runs:
        reasons = " ".join(notes) or f"no run in {store} matches {query!r}"
        raise TrackingError(f"nothing to compare: {reasons}")
    return list(runs.values()), notes


def _find(store: Store, run_id: str) -> RecordedRun:
    """A run by its id, by the beginning of it, or by the id that it had in another store."""
    try:
        return read_run(store, run_id)
    except TrackingError:
        if restored := find_restored(store, run_id):
            return restored[0]
        raise


def judging_metric(runs: Iterable[RecordedRun]) -> Metric:
    """The score that runs are drawn by: of test examples if any run has one, else of validation examples."""
    known = {key for run in runs for key in run.metrics}
    return next((metric for metric in (*TESTED, *VALIDATED) if metric.key in known), TESTED[0])


def rank(run: RecordedRun) -> tuple[bool, float, float]:
    """The greater, the further ahead: finished runs first, by their score on test examples, else on validation."""
    return run.status == "FINISHED", _first(run, TESTED), _first(run, VALIDATED)


def _first(run: RecordedRun, metrics: Sequence[Metric]) -> float:
    values = (metric.better * run.metrics[metric.key] for metric in metrics if metric.key in run.metrics)
    return next(values, -inf)


def collect_all(runs: Sequence[RecordedRun]) -> list[RunDetails]:
    """Reads runs, the best first; curves of the first CURVED_RUNS only."""
    ranked = sorted(runs, key=rank, reverse=True)
    return [collect(run, with_curves=place < CURVED_RUNS) for place, run in enumerate(ranked)]


def collect(run: RecordedRun, with_curves: bool = True) -> RunDetails:
    """Reads curves and artifacts; a missing or damaged one is None, and a damaged one is reported."""
    recorded = [curve.key for curve in CURVES if with_curves and curve.key in run.metrics]
    predictions = _artifact(run, PREDICTIONS, read_predictions) if TEST_IMAGES.key in run.metrics else None
    cost = _artifact(run, COST, _read_cost) if CYCLES.key in run.metrics else None
    quantized = selecting_score(run.params).test_quantized.key in run.metrics
    ranges = _artifact(run, RANGES, _read_mapping) if quantized else None
    return RunDetails(run, {key: run.history(key) for key in recorded}, cost, predictions, ranges)


def _artifact(run: RecordedRun, path: str, read: Callable[[Path], Content]) -> Content | None:
    try:
        return read(run.artifact(path))
    except (TrackingError, OSError, KeyError):
        return None  # of a run that still goes on, or of another task
    except FormatError as error:
        log.warning("run %s: its artifact %s is damaged and left out: %s", run.run_id, path, error)
        return None


def _read_mapping(path: Path) -> Mapping[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise FormatError("it is no mapping")
    return content


def _read_cost(path: Path) -> Mapping[str, Any]:
    content = _read_mapping(path)
    parts = all(isinstance(content.get(key), list) for key in ("layers", "tensors"))
    if not parts or content.get("device") not in known_parts():
        raise FormatError("it is no cost of a network on a device that is known")
    return content
