"""The stage quantize: from a trained network to its integers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from maxexp.base.errors import ConfigError
from maxexp.base.languages.file_name import file_name
from maxexp.quantization.config import Method
from maxexp.run.networks import Floating, Form, Product, Quantized, RunNetwork
from maxexp.run.spec import NOT_MEASURED, RunSpec
from maxexp.run.stages.base import RunStage
from maxexp.schema.config import Stage
from maxexp.tracking.artifacts import INTEGER_SUFFIX, QUANTIZATION
from maxexp.tracking.record import RunRecord

if TYPE_CHECKING:
    from torch import Tensor

    from maxexp.chip.numbers.integer import IntegerNetwork
    from maxexp.network.module import NetworkModule

NEEDS_NETWORK = "stages: quantize and evaluate need a trained network; add train, or give checkpoint=PATH"


class Quantize(RunStage):
    """Quantizes a network that was trained in floating point, and keeps the integers of any that is quantized."""

    stage = Stage.quantize
    reads = ("train", "validation")

    @classmethod
    def refusal(cls, spec: RunSpec, network: Form) -> str | None:
        config, quantization = spec.config, spec.config.quantization
        if network is Form.untrained:
            return NEEDS_NETWORK
        if network is Form.floating and quantization.method is Method.qat:
            return (
                f"quantization=qat: checkpoint={config.checkpoint} is a floating-point network; add train to stages "
                "to train it quantization-aware, or choose quantization=ptq"
            )
        if quantization.sensitivity and network is not Form.floating:
            return NOT_MEASURED
        if quantization.weight_budget is not None:
            # Better now than after the network was trained and measured. Only here: it brings torch.
            from maxexp.quantization.methods.sensitivity import check_budget

            try:
                check_budget(quantization.weight_budget, spec.network)
            except ConfigError as error:
                return str(error)
        return None

    @classmethod
    def skip_reason(cls, spec: RunSpec, network: Form) -> str | None:
        if spec.method is Method.float:
            return "quantization=float"
        return "the checkpoint holds integers already" if network is Form.integer else None

    @classmethod
    def output_form(cls, spec: RunSpec, network: Form) -> Form:
        return Form.quantized

    @classmethod
    def needed_parts(cls, network: Form) -> tuple[str, ...]:
        return cls.reads if network is Form.floating else ()

    def run(self, product: Product, record: RunRecord) -> Product:
        from maxexp.quantization.files.checkpoint import write_integer

        spec, network = self._spec, product.network
        if isinstance(network, Floating):
            network = self._after_training(network.module, record)
        assert network.integer is not None, "neither untrained nor floating"
        path = self._context.folder / f"{file_name(spec.network.name)}{INTEGER_SUFFIX}"
        write_integer(path, network.integer, 0, self._context.checkpoint_extras())
        record.log_artifact(path, QUANTIZATION)
        if isinstance(product.network, Floating) or spec.runs(Stage.train):
            # What the validation says of a network that is quantized afterwards knows nothing of its bits.
            record.log_metrics(self._validated(network.integer))
        return Product(network)

    def _validated(self, integer: IntegerNetwork) -> dict[str, float]:
        from maxexp.training.evaluation import evaluate_integer

        data, task = self._context.data, self._context.task
        result = evaluate_integer(integer, task, data.validation, data.mapping)
        return {task.selects.validation_integer.key: result.scores[task.selects.name]}

    def _after_training(self, trained: NetworkModule, record: RunRecord) -> RunNetwork:
        from maxexp.quantization.files.export import to_integer
        from maxexp.quantization.methods.ptq import quantize_after_training

        self._context.record_data(record, *self.reads)
        quantization = self._spec.config.quantization
        calibration = self._context.data.calibration_inputs(quantization.calibration_images)
        if quantization.sensitivity:
            self._report_sensitivity(trained, calibration, record)
        module = copy.deepcopy(trained)
        quantize_after_training(module, calibration, quantization)
        return Quantized(module, to_integer(module), trained)

    def _report_sensitivity(self, trained: NetworkModule, calibration: Tensor, record: RunRecord) -> None:
        """Measures on validation images: the test split chooses nothing."""
        from maxexp.data.augmentation.pixels import evaluation_input
        from maxexp.quantization.methods.sensitivity import analyse
        from maxexp.run.figures import record_sensitivity

        config, data = self._spec.config, self._context.data
        inputs = evaluation_input(data.validation.images, data.mapping)
        part = config.device.part
        labels, task = data.validation.labels, self._context.task
        found = analyse(trained, calibration, inputs, labels, config.quantization, part, task)
        record_sensitivity(record, task, found)


STAGE = Quantize
