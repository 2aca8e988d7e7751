"""The stages of a run and what they hand to one another."""

from __future__ import annotations

import copy
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from maxexp.base.errors import DataError
from maxexp.board.board import Board
from maxexp.board.config import BoardKind
from maxexp.chip.check import check_fit
from maxexp.chip.cost import counted, network_cost
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.augmentation.pixels import evaluation_input, map_pixels
from maxexp.data.dataset import ImageSet, load_split
from maxexp.data.run_data import RunData
from maxexp.network.graph import Network
from maxexp.network.module import NetworkModule
from maxexp.quantization.config import Method
from maxexp.quantization.files.checkpoint import (
    Checkpoint,
    Kind,
    read_checkpoint,
    to_integer_network,
    to_module,
    write_integer,
)
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.methods.ptq import quantize_after_training
from maxexp.quantization.methods.sensitivity import analyse
from maxexp.quantization.simulate.fake import without_rounding
from maxexp.report.figures.memory_picture import memory_picture
from maxexp.report.predictions import write_predictions
from maxexp.report.summary import cost_table
from maxexp.report.task_reports.registry import report_of
from maxexp.run.checkpoints import locate_checkpoint
from maxexp.run.deployment import Deployment, choose_images, prepare_board
from maxexp.run.figures import record_ranges, record_sensitivity
from maxexp.run.preconditions import check_stages
from maxexp.schema.config import Config, Stage
from maxexp.synthesis.ai8x import Synthesis, Synthesizer
from maxexp.synthesis.config import SynthesisMethod
from maxexp.synthesis.network_yaml import network_yaml
from maxexp.synthesis.stand_in import random_image, random_integers
from maxexp.tasks.registry import task_of
from maxexp.tracking.artifacts import (
    COST,
    EVALUATION,
    INTEGER_SUFFIX,
    MEMORY_MAP,
    NETWORK_YAML,
    PLOTS,
    QUANTIZATION,
    SYNTHESIS,
    SYNTHESIS_REPORT,
)
from maxexp.tracking.record import RunRecord
from maxexp.training.evaluation import Evaluation, evaluate_integer, evaluate_module
from maxexp.training.hardware import set_threads, training_device
from maxexp.training.metrics import DISAGREEMENT, TEST_IMAGES

if TYPE_CHECKING:
    from maxexp.run.training_stage import TrainingStage

log = logging.getLogger(__name__)

FLOAT_BYTES = 4
RANGE_IMAGES = 500
"""Test images that the histograms of activations are made of."""


class Pipeline:
    """Runs the chosen stages of one configuration in their order, and records each.

    Args:
        folder: local folder for files on their way to the record.
    """

    def __init__(self, config: Config, network: Network, record: RunRecord, folder: Path) -> None:
        set_threads(config.trainer)
        self._config = config
        self._network = network
        self._record = record
        self._folder = folder
        self._device = training_device(config.trainer)
        self._task = task_of(config.task)
        self._data = RunData(
            config.dataset,
            config.augmentation,
            config.trainer.batch_size,
            config.seed,
            self._device,
            views=config.recipe.distillation.views if config.recipe.distillation else None,
        )
        self._checkpoint = None
        if config.checkpoint:
            to_run = not {Stage.train, Stage.quantize} & set(config.stages)
            self._checkpoint = read_checkpoint(locate_checkpoint(config.checkpoint, record.recorded, to_run))
        self._training = self._find_training()
        self._float: NetworkModule | None = None
        self._quantized: NetworkModule | None = None
        self._integer: IntegerNetwork | None = None
        if self._checkpoint:
            self._load(self._checkpoint)
        self._method = self._effective_method()
        check_stages(config, network, self._float, self._integer, trainable=self._quantized is not None)
        if self._method is not Method.float:
            check_fit(network, self._bits, config.device.part)
        self._check_data()
        self._board = self._find_board()
        self._synthesizer = self._find_synthesizer()
        self._synthesis: Synthesis | None = None

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
        """Refuse missing or broken data before the stages that need them, rather than after hours."""
        stages = self._config.stages
        trains = Stage.train in stages or (Stage.quantize in stages and self._float is not None)
        needed = [split for split, wanted in (("train", trains), ("test", Stage.evaluate in stages)) if wanted]
        if needed:
            self._data.check(*needed)
            self._data.warn_of_doubts(*needed)

    def _find_training(self) -> TrainingStage | None:
        """The training with its teachers: one better missed before any data are read."""
        if Stage.train not in self._config.stages:
            return None
        # Here, because Lightning takes two seconds to import, and the other stages do without.
        from maxexp.run.training_stage import TrainingStage

        return TrainingStage(self._config, self._network, self._data, self._record, self._folder)

    def _find_synthesizer(self) -> Synthesizer | None:
        """The maker's synthesizer where it is wanted: better missed before a training than after it."""
        config = self._config
        wanted = config.synthesis.method is SynthesisMethod.ai8x and Stage.synthesize in config.stages
        if not wanted or self._method is Method.float:
            return None
        return Synthesizer(config.synthesis, config.device)

    def _find_board(self) -> Board | None:
        """The board where one is wanted, for the same reason."""
        wanted = self._config.board.kind is not BoardKind.none and Stage.deploy in self._config.stages
        return prepare_board(self._config) if wanted and self._method is not Method.float else None

    def _reason_to_skip(self, stage: Stage) -> str | None:
        if stage is Stage.quantize:
            if self._method is Method.float:
                return "quantization=float"
            if self._integer and not self._quantized:
                return "the checkpoint holds integers already"
        if stage is Stage.deploy and self._board is None:
            return "board=none" if self._config.board.kind is BoardKind.none else "quantization=float"
        return None

    def _train(self) -> None:
        assert self._training
        self._log_data("train", "validation")
        trained = self._training.run(self._quantized or self._float)
        if self._method is Method.qat:
            self._float = None
            self._set_quantized(trained.network)
        else:
            self._float = trained.network

    def _quantize(self) -> None:
        if self._float is not None:
            self._set_quantized(self._post_training(self._float))
        assert self._integer is not None
        path = self._folder / f"{self._network.name}{INTEGER_SUFFIX}"
        write_integer(path, self._integer, 0, {})
        self._record.log_artifact(path, QUANTIZATION)
        if self._float is not None or Stage.train in self._config.stages:
            # What val/best_accuracy says of a network that is quantized afterwards knows nothing of its bits.
            result = evaluate_integer(self._integer, self._task, self._data.validation, self._data.mapping)
            score = self._task.selects
            self._record.log_metrics({score.validation_integer.key: result.scores[score.name]})

    def _post_training(self, trained: NetworkModule) -> NetworkModule:
        self._log_data("train", "validation")
        quantization = self._config.quantization
        calibration = self._data.calibration_inputs(quantization.calibration_images)
        if quantization.sensitivity:
            self._report_sensitivity(trained, calibration)
        module = copy.deepcopy(trained)
        quantize_after_training(module, calibration, quantization)
        return module

    def _report_sensitivity(self, trained: NetworkModule, calibration: Tensor) -> None:
        """Measured on validation images: the test split chooses nothing."""
        config, validation = self._config, self._data.validation
        inputs = evaluation_input(validation.images, self._data.mapping)
        found = analyse(
            trained, calibration, inputs, validation.labels, config.quantization, config.device.part, self._task
        )
        record_sensitivity(self._record, self._task, found)

    def _evaluate(self) -> None:
        test, mapping, task = self._data.test, self._data.mapping, self._task
        self._log_data("test")
        results: dict[str, Evaluation] = {}
        if self._float is not None:
            results["float"] = evaluate_module(self._float, task, test, mapping)
        elif self._quantized is not None:
            results["float"] = evaluate_module(without_rounding(self._quantized), task, test, mapping)
        if self._quantized is not None:
            results["quantized"] = evaluate_module(self._quantized, task, test, mapping)
        if self._integer is not None:
            results["integer"] = evaluate_integer(self._integer, task, test, mapping)
        metrics: dict[str, float] = {
            task.score(name).test(kind).key: value
            for kind, result in results.items()
            for name, value in result.scores.items()
        }
        metrics[TEST_IMAGES.key] = len(test)
        if "quantized" in results and "integer" in results:
            # float32 rounds large partial sums, so simulation and integers may part; this is how often.
            differ = results["quantized"].decisions != results["integer"].decisions
            metrics[DISAGREEMENT.key] = float(differ.double().mean())
        self._record.log_metrics(metrics)
        report = report_of(self._config.task)
        for kind, result in results.items():
            log.info("test, %s: %s", kind, report.line(result.decisions, result.scores, test))
        arrays = report.predictions({kind: result.decisions for kind, result in results.items()}, test)
        self._record.log_artifact(write_predictions(self._folder, arrays), EVALUATION)
        kind, best = list(results.items())[-1]
        title = f"{self._network.name}, test images, {kind}"
        figure = report.figure(title, best.decisions, best.scores, test)
        self._record.log_figure(figure, f"{PLOTS}/{report.picture}")
        if self._quantized is not None:
            record_ranges(self._record, self._quantized, evaluation_input(test.images[:RANGE_IMAGES], mapping))

    def _synthesize(self) -> None:
        config, network = self._config, self._network
        if self._method is Method.float:
            # Floating point does not run on the chip: what it would need elsewhere, and no latency.
            weight_bytes, bias_bytes = FLOAT_BYTES * network.weights, FLOAT_BYTES * network.biases
            self._record.log_metrics(counted(network, weight_bytes, bias_bytes))
            return
        integer = self._integer or random_integers(network, self._bits, config.seed)
        cost = network_cost(network, integer.bits, config.device)
        if self._synthesizer:
            cost = self._synthesize_ai8x(self._synthesizer, integer).cost
        elif cost.cycles is None:
            log.info("cost: no cycles and no latency, for they are not known of %s", config.device.name)
        else:
            log.info("cost: estimated by our model of the chip; synthesis=ai8x asks the maker's synthesizer")
            self._record.set_tags({"hw.source": "estimated"})
        self._record.log_metrics(cost.metrics())
        self._record.log_dict(cost_table(cost), COST)
        memory = cost.fit.memory
        self._record.log_figure(memory_picture(memory), MEMORY_MAP)
        self._record.log_text(network_yaml(memory, integer.bits, config.dataset.name), NETWORK_YAML)

    def _synthesize_ai8x(self, synthesizer: Synthesizer, integer: IntegerNetwork) -> Synthesis:
        """Have the network synthesized; what the synthesizer wrote is recorded even where it fails."""
        folder = self._folder / SYNTHESIS
        checkpoint = self._folder / f"{SYNTHESIS}{INTEGER_SUFFIX}"
        write_integer(checkpoint, integer, 0, {})
        try:
            sample = synthesizer.sample(self._config.dataset.name, self._network.in_shape)
            sample = self._sample() if sample is None else sample
            self._synthesis = synthesizer.run(integer, checkpoint, self._config.dataset.name, sample, folder)
        finally:
            if folder.exists():
                self._record.log_artifact(folder)
        self._record.log_dict(self._synthesis.report(), SYNTHESIS_REPORT)
        self._record.set_tags({"hw.source": "synthesized", "ai8x.version": self._synthesis.version})
        return self._synthesis

    def _sample(self) -> Tensor:
        """(C, H, W) input of the known-answer test: the first test image as firmware sees it, if data are there."""
        images = self._local_test_images()
        if images is None:
            log.info("no test images: the known-answer test gets random numbers")
            return random_image(self._network.in_shape, self._config.seed)
        return map_pixels(images.images[0], InputMapping.p128).long()

    def _local_test_images(self) -> ImageSet | None:
        """The test split, unless it would have to be downloaded."""
        try:
            return load_split(replace(self._config.dataset, download=False), "test")
        except DataError:
            return None

    def _deploy(self) -> None:
        config = self._config
        assert self._board and self._synthesis
        deployment = Deployment(self._board, self._synthesis, self._record, self._folder)
        deployment.run_known_answer()
        images = self._local_test_images()
        if self._integer is None or images is None or config.board.images == 0:
            log.info("no trained network, test images or board.images: no accuracy on the board")
            return
        chosen = choose_images(images, config.board.images, config.seed)
        deployment.measure_accuracy(self._task, self._integer, chosen, self._data.mapping)

    def _log_data(self, *parts: str) -> None:
        began = self._record.snapshot().data if self._record.resumed else {}
        for part in parts:
            getattr(self._data, part)
            name, digest = f"{self._config.dataset.name}-{part}", self._data.digests()[part]
            if not digest.startswith(began.get(name, "")):
                raise DataError(
                    f"{name}: these are not the images that run {self._record.run_id} began with; give it those "
                    "(dataset.root), or start a new run"
                )
            self._record.log_dataset(name, digest, part)
