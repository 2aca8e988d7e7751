"""The stage evaluate: a trained network on test images, as far as it is quantized in every form that it has."""

from __future__ import annotations

from maxexp.run.networks import Form, Product, Quantized
from maxexp.run.spec import RunSpec
from maxexp.run.stages.base import RunStage
from maxexp.run.stages.quantize import NEEDS_NETWORK
from maxexp.schema.config import Stage
from maxexp.tracking.record import RunRecord

RANGE_IMAGES = 500
"""Test images that the histograms of activations are made of."""


class Evaluate(RunStage):
    """Measures by the test split, once, at the end."""

    stage = Stage.evaluate
    reads = ("test",)

    @classmethod
    def refusal(cls, spec: RunSpec, network: Form) -> str | None:
        return NEEDS_NETWORK if network is Form.untrained else None

    def run(self, product: Product, record: RunRecord) -> Product:
        from maxexp.data.augmentation.pixels import evaluation_input
        from maxexp.report.task_reports.registry import report_of
        from maxexp.run.figures import record_ranges
        from maxexp.run.recorded_evaluation import RecordedEvaluation

        data, network = self._context.data, product.network
        test = data.test
        self._context.record_data(record, *self.reads)
        report = report_of(self._spec.config.task)
        evaluation = RecordedEvaluation(network, self._context.task, test, data.mapping)
        evaluation.record(record, report, self._spec.network.name, self._context.folder)
        if isinstance(network, Quantized):
            record_ranges(record, network.module, evaluation_input(test.images[:RANGE_IMAGES], data.mapping))
        return product


STAGE = Evaluate
