"""The evaluation of a network by the test split: scores, decisions and a picture, all asked from the task."""

from __future__ import annotations

import logging
from pathlib import Path

from maxexp.data.augmentation.config import InputMapping
from maxexp.data.dataset import ImageSet
from maxexp.quantization.simulate.fake import without_rounding
from maxexp.report.predictions import write_predictions
from maxexp.report.task_reports.base import TaskReport
from maxexp.run.networks import Floating, Quantized, RunNetwork
from maxexp.tasks.base import Task
from maxexp.tracking.artifacts import EVALUATION, PLOTS
from maxexp.tracking.record import RunRecord
from maxexp.training.evaluation import Evaluation, evaluate_integer, evaluate_module
from maxexp.training.metrics import DISAGREEMENT, TEST_IMAGES

log = logging.getLogger(__name__)


class RecordedEvaluation:
    """What a network gives for the images of a split, in every form that it has.

    Attributes:
        results: by form of the numbers, the one that the chip has last.
    """

    def __init__(self, network: RunNetwork, task: Task, images: ImageSet, mapping: InputMapping | None) -> None:
        self._task = task
        self._images = images
        self.results: dict[str, Evaluation] = {}
        if isinstance(network, Floating):
            self.results["float"] = evaluate_module(network.module, task, images, mapping)
        if isinstance(network, Quantized):
            exact = network.floating or without_rounding(network.module)
            self.results["float"] = evaluate_module(exact, task, images, mapping)
            self.results["quantized"] = evaluate_module(network.module, task, images, mapping)
        if network.integer is not None:
            self.results["integer"] = evaluate_integer(network.integer, task, images, mapping)

    def metrics(self) -> dict[str, float]:
        """Returns the metrics by their keys in the record."""
        metrics: dict[str, float] = {
            self._task.score(name).test(kind).key: value
            for kind, result in self.results.items()
            for name, value in result.scores.items()
        }
        metrics[TEST_IMAGES.key] = len(self._images)
        if {"quantized", "integer"} <= self.results.keys():
            # float32 rounds large partial sums, so simulation and integers may part; this is how often.
            differ = self.results["quantized"].decisions != self.results["integer"].decisions
            metrics[DISAGREEMENT.key] = float(differ.double().mean())
        return metrics

    def record(self, record: RunRecord, report: TaskReport, name: str, folder: Path) -> None:
        """Records metrics, decisions and the task's picture.

        Args:
            name: of the network.
            folder: local folder for files on their way to the record.
        """
        record.log_metrics(self.metrics())
        for kind, result in self.results.items():
            log.info("test, %s: %s", kind, report.line(result.decisions, result.scores, self._images))
        decisions = {kind: result.decisions for kind, result in self.results.items()}
        file = write_predictions(folder, report.predictions(decisions, self._images))
        record.log_artifact(file, EVALUATION)
        kind, best = list(self.results.items())[-1]
        figure = report.figure(f"{name}, test images, {kind}", best.decisions, best.scores, self._images)
        record.log_figure(figure, f"{PLOTS}/{report.picture}")
