"""The stage train: from any network that has no integers only to a trained one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maxexp.base.errors import ConfigError
from maxexp.quantization.config import Method
from maxexp.run.checkpoints import ZOO
from maxexp.run.networks import Floating, Form, Product, Quantized
from maxexp.run.spec import RunSpec
from maxexp.run.stages.base import RunStage
from maxexp.schema.config import Stage
from maxexp.tracking.artifacts import CHECKPOINTS
from maxexp.tracking.record import RunRecord
from maxexp.training.files import RESUME_FILES

if TYPE_CHECKING:
    from maxexp.run.recorded_training import RecordedTraining


class Train(RunStage):
    """Trains in floating point, then quantization-aware, as the configuration says."""

    stage = Stage.train
    reads = ("train", "validation")

    _training: RecordedTraining
    """Of :meth:`prepare`."""

    @classmethod
    def refusal(cls, spec: RunSpec, network: Form) -> str | None:
        quantization = spec.config.quantization
        try:
            quantization.float_epochs(spec.config.trainer.max_epochs)
        except ConfigError as error:
            return str(error)
        if network in (Form.quantized, Form.integer):
            return _no_start(spec, network)
        alone = set(spec.config.stages) == {Stage.train}
        if spec.method is Method.ptq and not spec.runs(Stage.quantize) and not alone:
            return "stages: quantization=ptq trains in floating point and quantizes in stage quantize; add it"
        distillation = spec.config.recipe.distillation
        from_zoo = distillation and any(each.startswith(ZOO) for each in distillation.checkpoints)
        if from_zoo and spec.config.augmentation.mapping is None:
            return (
                "augmentation.normalize=null: teachers of the zoo read other numbers; choose recipe=sgd, or a "
                "teacher that was trained so"
            )
        return None

    @classmethod
    def output_form(cls, spec: RunSpec, network: Form) -> Form:
        return Form.quantized if spec.method is Method.qat else Form.floating

    def prepare(self) -> None:
        """Loads teachers, and finds out whether this machine can train.

        Raises:
            CheckpointError, ConfigError: a teacher is missing, or is none for these images; the network cannot
                compute the small images of the first epochs; this machine does not have the device.
        """
        # Here, because Lightning takes two seconds to import, and the other stages do without.
        from maxexp.run.recorded_training import RecordedTraining

        self._training = RecordedTraining(self._spec, self._context)

    def run(self, product: Product, record: RunRecord) -> Product:
        from maxexp.quantization.files.export import to_integer

        record.on_success(lambda: self._remove_resume_files(record))
        self._context.record_data(record, *self.reads)
        network = product.network
        start = network.module if isinstance(network, (Floating, Quantized)) else None
        module = self._training.run(start, record).network
        qat = self._spec.method is Method.qat
        return Product(Quantized(module, to_integer(module)) if qat else Floating(module))

    def _remove_resume_files(self, record: RunRecord) -> None:
        """Removes what only an interrupted training needs, from the run's folder and its artifacts."""
        for name in RESUME_FILES:
            (self._context.folder / name).unlink(missing_ok=True)
            record.delete_artifact(f"{CHECKPOINTS}/{name}")


def _no_start(spec: RunSpec, network: Form) -> str | None:
    """Returns why a quantized network cannot be trained on as this configuration asks for; None: it can."""
    quantization, checkpoint = spec.config.quantization, f"checkpoint={spec.config.checkpoint}"
    if network is Form.integer:
        return (
            f"{checkpoint} holds integers, which cannot be trained; leave train out of stages, or give the "
            "checkpoint it was quantized from"
        )
    if quantization.method is not Method.qat:
        return (
            f"quantization={quantization.method.name}: {checkpoint} is a quantized network; choose quantization=qat, "
            "or give a floating-point checkpoint"
        )
    if quantization.start_epoch:
        return (
            f"quantization.start_epoch={quantization.start_epoch}: {checkpoint} is quantized already, so every epoch "
            "is quantization-aware; leave it out, or begin with the floating-point network"
        )
    return None


STAGE = Train
