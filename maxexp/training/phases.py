"""Training in phases: floating point, then quantization-aware from the best network of the first."""

import copy
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import TQDMProgressBar
from pytorch_lightning.loggers import Logger

from maxexp.base.errors import CheckpointError, TrainingError
from maxexp.base.seeding import derived_seed
from maxexp.data.module import ImageDataModule
from maxexp.data.run_data import RunData
from maxexp.network.graph import Network
from maxexp.network.module import NetworkModule
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.quantization.files.checkpoint import write_module
from maxexp.quantization.methods.ptq import quantize_after_training, quantize_layers
from maxexp.quantization.simulate.fake import (
    ClampedNumerics,
    QuantizedNumerics,
    quantize_module,
    quantized_numerics,
    set_numerics,
)
from maxexp.quantization.simulate.fold import estimate_batchnorm
from maxexp.tasks.base import Task
from maxexp.training.callbacks import BestNetwork, EpochEnd
from maxexp.training.config import Precision, RecipeConfig, TrainerConfig
from maxexp.training.distillation import Distillation
from maxexp.training.files import FLOAT, QAT, best_file
from maxexp.training.hardware import training_precision
from maxexp.training.learner import QUANTILES, Learner
from maxexp.training.own_callbacks import callback_errors, make_callbacks
from maxexp.training.resume_files import read_resume_file, restoring

log = logging.getLogger(__name__)
for library in ("pytorch_lightning", "lightning_fabric"):
    # Advertisements, and notes on devices that nobody asked about. Here, because importing Lightning sets the level.
    logging.getLogger(library).setLevel(logging.WARNING)

LIGHTNING_PRECISION: dict[Precision, Literal["32-true", "bf16-mixed"]] = {
    Precision.float32: "32-true",
    Precision.bfloat16: "bf16-mixed",
}


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides what a training does, apart from network and data.

    Attributes:
        extras: texts and numbers that go along to its checkpoints.
    """

    task: Task
    quantization: QuantizationConfig
    recipe: RecipeConfig
    trainer: TrainerConfig
    seed: int
    device: torch.device
    extras: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFiles:
    """Where a training writes, and how that reaches the run record.

    Attributes:
        folder: local folder of the run.
        keep: stores a file of that folder with the run.
        logger: makes the Lightning logger of a phase, by its name and first epoch; None logs nothing.
    """

    folder: Path
    keep: Callable[[Path], None]
    logger: Callable[[str, int], Logger | None]


@dataclass(frozen=True)
class Trained:
    """The network of the epoch with the best validation score in the last phase.

    Attributes:
        value: of the score that selects, in that epoch.
        qat_epoch: first quantization-aware epoch, counted from 0; None if there is none.
    """

    network: NetworkModule
    epoch: int
    value: float
    qat_epoch: int | None


class Training:
    """One training from its first epoch, or from where an earlier process left it.

    Args:
        start: network to begin with (batch norm folded or not); freshly initialized by default.
        resume: Lightning checkpoint of an interrupted training.
        distillation: larger networks to learn from in both phases.
    """

    def __init__(
        self,
        network: Network,
        data: RunData,
        settings: TrainingSettings,
        files: RunFiles,
        start: NetworkModule | None = None,
        resume: Path | None = None,
        distillation: Distillation | None = None,
    ) -> None:
        self._network = network
        self._data = data
        self._settings = settings
        self._files = files
        self._start = start
        self._resume = resume
        self._distillation = distillation
        self._resumed_phase = None if resume is None else _resumed_phase(resume)

    def run(self) -> Trained:
        """Trains all phases that are left; writes ``float_best.pth.tar`` and ``qat_best.pth.tar``."""
        settings = self._settings
        quantization, epochs = settings.quantization, settings.trainer.max_epochs
        module = self._start or self._initial_network()
        float_epochs = 0 if _is_quantized(module) else quantization.float_epochs(epochs, self._start is not None)
        trained = None
        if float_epochs and self._resumed_phase != QAT:
            trained = self._fit(FLOAT, module, 0, float_epochs, settings.recipe)
            module = trained.network
        if quantization.method is Method.qat:
            untrained = trained is None and self._start is None and self._resumed_phase != QAT
            self._prepare_quantized(module, untrained)
            fine_tuning = float_epochs > 0 or self._start is not None
            recipe = settings.recipe.fine_tuning() if fine_tuning else settings.recipe
            trained = self._fit(QAT, module, float_epochs, epochs - float_epochs, recipe)
        assert trained is not None, "every method has a phase"
        return trained

    def _initial_network(self) -> NetworkModule:
        torch.manual_seed(derived_seed(self._settings.seed, "weights"))
        module = NetworkModule(self._network)
        if self._settings.quantization.clamp_activations:
            set_numerics(module, ClampedNumerics())
        return module

    def _prepare_quantized(self, module: NetworkModule, untrained: bool) -> None:
        """Quantizes in place as after training, which is where fine-tuning begins; a resumed phase brings its own."""
        config = self._settings.quantization
        bits = config.bits(self._network)
        if self._resume is not None and self._resumed_phase == QAT:
            with restoring(self._resume):
                restore_quantization(module, bits, read_resume_file(self._resume)[QUANTILES])
            return
        inputs = self._data.calibration_inputs(config.calibration_images)
        module.to(inputs.device)
        if _is_quantized(module):
            # It is in the chip's range already; only its bits may change.
            old = {layer.spec.name: quantized_numerics(layer).bits for layer in module.layers()}
            changed = {name: new for name, new in bits.items() if new != old[name]}
            quantize_layers(copy.deepcopy(module), module, inputs, changed, config)
            return
        if untrained:
            estimate_batchnorm(module, inputs)
        quantize_after_training(module, inputs, config)

    def _fit(self, phase: str, module: NetworkModule, offset: int, epochs: int, recipe: RecipeConfig) -> Trained:
        settings, files = self._settings, self._files
        score = settings.task.selects
        best = BestNetwork(score)
        own = make_callbacks(settings.trainer.callbacks)
        # Theirs come before the checkpoint of an epoch, which keeps their state.
        callbacks = [best, *own.values(), EpochEnd(settings.trainer.max_epochs, files.folder, files.keep)]
        progress = settings.trainer.progress and sys.stderr.isatty()
        if progress:
            callbacks.append(TQDMProgressBar())
        logger = files.logger(phase, offset)
        trainer = Trainer(
            max_epochs=epochs,
            # Not "auto", which prefers the MPS of a Mac, where the images are not.
            accelerator="cuda" if settings.device.type == "cuda" else "cpu",
            devices=1,
            precision=LIGHTNING_PRECISION[training_precision(settings.trainer, settings.device)],
            callbacks=callbacks,
            logger=logger or False,
            default_root_dir=files.folder,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=progress,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
        )
        unit = self._data.train.unit
        learner = Learner(module, settings.task, unit, recipe, phase, offset, settings.seed, self._distillation)
        learner.to(memory_format=torch.channels_last)
        learner.train()
        resume = self._resume if self._resumed_phase == phase else None
        with restoring(resume, lambda: learner.went_on):
            with callback_errors(own):
                fit(trainer, learner, ImageDataModule(self._data, offset), resume)
            module.load_state_dict(best.weights)
        module.eval()
        text = score.form.with_unit(best.value)
        log.info("%s: best validation %s %s in epoch %d", phase, score.label, text, best.epoch + 1)
        path = files.folder / best_file(phase)
        extras = {**settings.extras, **settings.task.checkpoint_extras(best.value), "best_epoch": best.epoch}
        write_module(path, module, best.epoch, extras)
        files.keep(path)
        # Lightning leaves the network on the CPU, whatever it was trained on.
        module.to(settings.device)
        return Trained(module, best.epoch, best.value, offset if phase == QAT else None)


def restore_quantization(module: NetworkModule, bits: dict[str, int], quantiles: dict[str, float]) -> None:
    """Gives the start of a quantization-aware phase the structure and the scales that it began with, in place."""
    if not _is_quantized(module):
        for layer in module.layers():
            layer.bn = None
        quantize_module(module, bits)
    for layer in module.layers():
        name = layer.spec.name
        # Layers whose bits stay keep those of their biases, too, which are not 8 in some of the maker's checkpoints.
        if quantized_numerics(layer).bits != bits.get(name, 8):
            layer.numerics = QuantizedNumerics(bits[name])
        quantized_numerics(layer).quantile = quantiles[name]
        if not 0 < quantiles[name] <= 1:
            raise ValueError(f"layer {name} has the quantile {quantiles[name]}")


def fit(trainer: Trainer, learner: Learner, data: ImageDataModule, resume: Path | None) -> None:
    """Calls ``trainer.fit``, whose interruption by Ctrl-C is a KeyboardInterrupt, not Lightning's SystemExit."""
    try:
        trainer.fit(learner, datamodule=data, ckpt_path=resume, weights_only=resume is not None or None)
    except FloatingPointError as error:
        raise TrainingError(
            f"training diverged in epoch {learner.epoch + 1}, {error}; lower the learning rates of the recipe"
        ) from error
    except SystemExit as error:
        if trainer.interrupted:
            raise KeyboardInterrupt from error
        raise


def _is_quantized(module: NetworkModule) -> bool:
    return any(isinstance(layer.numerics, QuantizedNumerics) for layer in module.layers())


def _resumed_phase(resume: Path) -> str:
    phase = read_resume_file(resume).get("maxexp_phase")
    if phase not in (FLOAT, QAT):
        raise CheckpointError(f"{resume.name} is damaged: it is of no phase; start a new run")
    return phase
