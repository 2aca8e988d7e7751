"""The stages of a run and what they hand to one another."""

import copy
import logging
from pathlib import Path

import torch

from maxexp.checkpoints import locate_checkpoint
from maxexp.config import Config, Stage
from maxexp.data.module import ImageDataModule
from maxexp.data.pixels import evaluation_input
from maxexp.device.check import check_fit
from maxexp.device.cost import network_cost
from maxexp.device.integer import IntegerNetwork
from maxexp.errors import ConfigError, TrackingError
from maxexp.network.graph import Network
from maxexp.network.module import NetworkModule
from maxexp.quantization.checkpoint import (
    Checkpoint,
    Kind,
    read_checkpoint,
    to_integer_network,
    to_module,
    write_integer,
)
from maxexp.quantization.config import Method
from maxexp.quantization.export import to_integer
from maxexp.quantization.fake import quantize_module, without_rounding
from maxexp.quantization.ranges import layer_ranges
from maxexp.report.artifacts import PREDICTIONS, RANGES
from maxexp.report.histograms import range_histograms, ranges_table
from maxexp.report.plots import confusion_matrix, learning_curves
from maxexp.report.predictions import write_predictions
from maxexp.report.summary import cost_table
from maxexp.tracking.logger import RecordLogger
from maxexp.tracking.record import RunRecord
from maxexp.training.distillation import Teacher, load_teacher
from maxexp.training.evaluation import Evaluation, evaluate_integer, evaluate_module
from maxexp.training.hardware import prepare_process, training_device
from maxexp.training.phases import RunFiles, Training, TrainingSettings, prepare_ptq

log = logging.getLogger(__name__)

FLOAT_BYTES = 4
CURVES = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
RANGE_IMAGES = 500
"""Test images that the histograms of activations are made of."""


class Pipeline:
    """Runs the chosen stages of one configuration in their order, and records each.

    Args:
        folder: local folder for files on their way to the record.
    """

    def __init__(self, config: Config, network: Network, record: RunRecord, folder: Path) -> None:
        prepare_process(config.trainer)
        self._config = config
        self._network = network
        self._record = record
        self._folder = folder
        self._device = training_device(config.trainer)
        self._data = ImageDataModule(
            config.dataset,
            config.augmentation,
            config.trainer.batch_size,
            config.seed,
            self._device,
            views=config.recipe.distillation.views if config.recipe.distillation else None,
        )
        self._checkpoint = None
        if config.checkpoint:
            self._checkpoint = read_checkpoint(locate_checkpoint(config.checkpoint, record.download_artifact))
        self._teacher = self._load_teacher() if Stage.train in config.stages else None
        self._float: NetworkModule | None = None
        self._quantized: NetworkModule | None = None
        self._integer: IntegerNetwork | None = None
        if self._checkpoint:
            self._load(self._checkpoint)
        self._method = self._effective_method()
        self._check_stages()
        if self._method is not Method.float:
            check_fit(network, self._bits, config.device)
        self._check_data()

    def run(self) -> None:
        """Run the stages; an exception of one ends the run."""
        tags = {"quantization": self._method.name}
        if self._method is not Method.float:
            different = sorted(set(self._bits.values()))
            tags["weight_bits"] = ",".join(map(str, different))
        self._record.set_tags(tags)
        stages = {
            Stage.train: self._train,
            Stage.quantize: self._quantize,
            Stage.evaluate: self._evaluate,
            Stage.synthesize: self._synthesize,
            Stage.deploy: self._deploy,
        }
        for stage, work in stages.items():
            if stage not in self._config.stages:
                self._record.skip_stage(stage.name, "not among stages")
                continue
            reason = self._reason_to_skip(stage)
            if reason:
                log.info("%s: skipped, %s", stage.name, reason)
                self._record.skip_stage(stage.name, reason)
                continue
            with self._record.stage(stage.name):
                work()

    def _load(self, checkpoint: Checkpoint) -> None:
        if checkpoint.kind is Kind.integer:
            self._integer = to_integer_network(checkpoint, self._network)
            return
        module = to_module(checkpoint, self._network).to(self._device)
        if checkpoint.kind is Kind.float:
            self._float = module
        else:
            self._set_quantized(module)

    def _load_teacher(self) -> Teacher | None:
        config = self._config.recipe.distillation
        if config is None:
            return None
        path = locate_checkpoint(config.checkpoint, self._record.download_artifact)
        dataset = self._config.dataset
        return load_teacher(config, path, dataset.shape, dataset.num_classes).to(self._device)

    def _set_quantized(self, module: NetworkModule) -> None:
        self._quantized = module
        self._integer = to_integer(module)

    def _effective_method(self) -> Method:
        """How the network of this run is quantized: a checkpoint may have settled it."""
        if Stage.train in self._config.stages:
            return self._config.quantization.method
        if self._quantized is not None:
            return Method.qat
        if self._float is not None and Stage.quantize not in self._config.stages:
            return Method.float
        return self._config.quantization.method

    @property
    def _bits(self) -> dict[str, int]:
        """Weight bits by layer: those of the integer network where there is one and it will not be trained."""
        if self._integer is not None and Stage.train not in self._config.stages:
            return self._integer.bits
        return self._config.quantization.bits(self._network)

    def _check_data(self) -> None:
        """Refuse missing data before the stages that need them, rather than after hours."""
        stages = self._config.stages
        if Stage.train in stages or (Stage.quantize in stages and self._float is not None):
            self._data.check_files("train")
        if Stage.evaluate in stages:
            self._data.check_files("test")

    def _check_stages(self) -> None:
        """Refuse stages that lack their input before any of them takes time."""
        stages = self._config.stages
        if Stage.train in stages and self._integer and not self._quantized:
            raise ConfigError(
                f"checkpoint={self._config.checkpoint} holds integers, which cannot be trained; leave train out of "
                "stages, or give the checkpoint it was quantized from"
            )
        method = self._config.quantization.method
        if self._integer and method is not Method.qat and (Stage.train in stages or method is Method.float):
            raise ConfigError(
                f"quantization={method.name}: checkpoint={self._config.checkpoint} is a quantized network; choose "
                "quantization=qat, or give a floating-point checkpoint"
            )
        has_network = Stage.train in stages or self._checkpoint is not None
        if not has_network and (Stage.quantize in stages or Stage.evaluate in stages):
            raise ConfigError(
                "stages: quantize and evaluate need a trained network; add train, or give checkpoint=PATH"
            )

        if self._float and Stage.quantize in stages and Stage.train not in stages and self._method is Method.qat:
            raise ConfigError(
                f"quantization=qat: checkpoint={self._config.checkpoint} is a floating-point network; add train to "
                "stages to train it quantization-aware, or choose quantization=ptq"
            )

    def _reason_to_skip(self, stage: Stage) -> str | None:
        if stage is Stage.quantize:
            if self._method is Method.float:
                return "quantization=float"
            if self._integer and not self._quantized:
                return "the checkpoint holds integers already"
        if stage is Stage.deploy:
            return "board=none"
        return None

    def _train(self) -> None:
        config = self._config
        self._log_data("train", "validation")
        settings = TrainingSettings(config.quantization, config.recipe, config.trainer, config.seed, self._device)
        files = RunFiles(
            self._folder,
            lambda path: self._record.log_artifact(path, "checkpoints"),
            lambda offset: RecordLogger(self._record, self._folder, offset),
        )
        resume = self._newest_resume_file() if config.resume else None
        start = self._quantized or self._float
        trained = Training(self._network, self._data, settings, files, start, resume, self._teacher).run()
        self._record.log_metrics({"val/best_accuracy": trained.validation_accuracy, "val/best_epoch": trained.epoch})
        self._plot_curves()
        if self._method is Method.qat:
            self._float = None
            self._set_quantized(trained.network)
        else:
            self._float = trained.network

    def _quantize(self) -> None:
        if self._float is not None:
            self._set_quantized(self._post_training(self._float))
        assert self._integer is not None
        path = self._folder / f"{self._network.name}-q.pth.tar"
        write_integer(path, self._integer, 0, {})
        self._record.log_artifact(path, "quantization")

    def _post_training(self, trained: NetworkModule) -> NetworkModule:
        self._log_data("train", "validation")
        quantization = self._config.quantization
        module = copy.deepcopy(trained)
        prepare_ptq(module, self._data.calibration_inputs(quantization.calibration_images))
        quantize_module(module, quantization.bits(self._network), quantization.shift_quantile)
        return module

    def _evaluate(self) -> None:
        test, mapping = self._data.test, self._data.mapping
        self._log_data("test")
        results: dict[str, Evaluation] = {}
        if self._float is not None:
            results["float"] = evaluate_module(self._float, test, mapping)
        elif self._quantized is not None:
            results["float"] = evaluate_module(without_rounding(self._quantized), test, mapping)
        if self._quantized is not None:
            results["quantized"] = evaluate_module(self._quantized, test, mapping)
        if self._integer is not None:
            results["integer"] = evaluate_integer(self._integer, test, mapping)
        metrics = {f"test/accuracy_{kind}": result.accuracy for kind, result in results.items()}
        metrics["test/images"] = len(test)
        if "quantized" in results and "integer" in results:
            # float32 rounds large partial sums, so simulation and integers may part; this is how often.
            differ = results["quantized"].predictions != results["integer"].predictions
            metrics["test/quantized_integer_disagreement"] = float(differ.double().mean())
        self._record.log_metrics(metrics)
        for kind, result in results.items():
            log.info("test, %s: %d of %d correct", kind, result.correct, len(result.labels))
        predicted = {kind: result.predictions.numpy() for kind, result in results.items()}
        file = write_predictions(self._folder, predicted, test.labels.cpu().numpy(), test.classes)
        self._record.log_artifact(file, str(Path(PREDICTIONS).parent))
        self._plot_confusion(*list(results.items())[-1])
        if self._quantized is not None:
            self._plot_ranges(self._quantized)

    def _synthesize(self) -> None:
        config, network = self._config, self._network
        if self._method is Method.float:
            # Floating point does not run on the chip: what it would need elsewhere, and no latency.
            self._record.log_metrics(
                {
                    "hw/parameters": network.weights + network.biases,
                    "hw/macs": network.macs,
                    "hw/ops": network.ops,
                    "hw/weight_bytes": FLOAT_BYTES * network.weights,
                    "hw/bias_bytes": FLOAT_BYTES * network.biases,
                }
            )
            return
        cost = network_cost(network, self._bits if self._integer is None else self._integer.bits, config.device)
        self._record.log_metrics(cost.metrics())
        self._record.log_dict(cost_table(cost), "synthesis/cost.json")
        if cost.cycles is not None:
            self._record.set_tags({"hw.source": "estimated"})

    def _deploy(self) -> None:
        raise AssertionError("skipped until there is a board")

    def _log_data(self, *parts: str) -> None:
        for part in parts:
            getattr(self._data, part)
            self._record.log_dataset(f"{self._config.dataset.name}-{part}", self._data.digests()[part], part)

    def _newest_resume_file(self) -> Path | None:
        """The later of the two checkpoints that a training writes by turns; None if there is none yet."""
        found: dict[int, Path] = {}
        for slot in (0, 1):
            try:
                path = self._record.download_artifact(f"checkpoints/resume-{slot}.ckpt")
                content = torch.load(path, map_location="cpu", weights_only=True)
            except (TrackingError, RuntimeError, EOFError, OSError):
                continue  # not written yet, or cut short by a kill: the other one is whole
            found[content["maxexp_epoch"]] = path
        return found[max(found)] if found else None

    def _plot_curves(self) -> None:
        history = {key: self._record.history(key) for key in CURVES}
        quantization = self._config.quantization
        qat = None
        if self._method is Method.qat:
            qat = quantization.float_epochs(self._config.trainer.max_epochs)
        self._record.log_figure(learning_curves(history, qat), "plots/learning_curves.png")

    def _plot_confusion(self, kind: str, result: Evaluation) -> None:
        classes = self._data.test.classes
        counts = result.confusion(len(classes)).numpy()
        title = f"{self._network.name}, test images, {kind}: {100 * result.accuracy:.2f} % correct"
        self._record.log_figure(confusion_matrix(counts, classes, title), "plots/confusion_matrix.png")

    def _plot_ranges(self, quantized: NetworkModule) -> None:
        inputs = evaluation_input(self._data.test.images[:RANGE_IMAGES], self._data.mapping)
        ranges = layer_ranges(quantized, inputs)
        self._record.log_dict(ranges_table(ranges), RANGES)
        self._record.log_figure(range_histograms(ranges), "plots/ranges.png")
