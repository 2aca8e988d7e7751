"""Trained networks: predictions, evaluation, quantization, firmware."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maxexp.api.cost import Cost
from maxexp.api.inputs import Example, first_images, gather, pixels
from maxexp.api.prediction import Prediction
from maxexp.base.errors import CheckpointError, ConfigError
from maxexp.chip.config import DeviceConfig
from maxexp.chip.cost import network_cost
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.data.augmentation.config import AugmentationConfig, InputMapping
from maxexp.data.augmentation.pixels import evaluation_input, map_pixels
from maxexp.data.config import DatasetConfig
from maxexp.data.dataset import ImageSet, load_split
from maxexp.data.run_data import RunData
from maxexp.data.store.arrays import InputRange
from maxexp.network.graph import Network, build_network
from maxexp.network.module import NetworkModule
from maxexp.network.sizes import dimensions
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.quantization.files.checkpoint import (
    Checkpoint,
    Kind,
    to_integer_network,
    to_module,
    write_integer,
    write_module,
)
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.methods.ptq import quantize_after_training
from maxexp.run.networks import Floating, Form, Integer, Quantized
from maxexp.run.self_description import SelfDescription
from maxexp.tasks.base import Task
from maxexp.tasks.config import TaskName
from maxexp.tasks.registry import task_of
from maxexp.training.evaluation import evaluate_integer, evaluate_module

Trained = Floating | Quantized | Integer

DEVICE = DeviceConfig("max78000", 50)
"""For which cost and firmware are, unless another is named."""
_WORDS = {Form.floating: "floating point", Form.quantized: "quantized", Form.integer: "integers"}


class Model:
    """A trained network with all that is needed to run it; :func:`maxexp.load` and :func:`maxexp.train` give one.

    Attributes:
        description: the layers, the data set, how pixels become numbers, the names of the classes.
    """

    def __init__(self, trained: Trained, description: SelfDescription) -> None:
        self.description = description
        self._trained = trained
        self._network = build_network(description.model, description.dataset.shape)

    @classmethod
    def read(cls, checkpoint: Checkpoint, description: SelfDescription) -> Model:
        """Returns the network of a checkpoint. Raises CheckpointError if it is of another network."""
        network = build_network(description.model, description.dataset.shape)
        if checkpoint.kind is Kind.integer:
            return cls(Integer(to_integer_network(checkpoint, network)), description)
        module = to_module(checkpoint, network).eval()
        floating = checkpoint.kind is Kind.float
        return cls(Floating(module) if floating else Quantized(module, to_integer(module)), description)

    @property
    def name(self) -> str:
        """The network's name."""
        return self._network.name

    @property
    def network(self) -> Network:
        """The layers with their shapes."""
        return self._network

    @property
    def form(self) -> Form:
        """Tells whether it is ``floating``, ``quantized`` (still trainable) or ``integer``."""
        return self._trained.form

    @property
    def integer(self) -> IntegerNetwork | None:
        """The network as the chip computes it; None for one in floating point."""
        return self._trained.integer

    @property
    def module(self) -> NetworkModule | None:
        """The torch module; None where there are integers alone."""
        return None if isinstance(self._trained, Integer) else self._trained.module

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, or their numbers where names are not known; none for real targets."""
        dataset = self.description.dataset
        return self.description.classes or tuple(map(str, range(dataset.num_classes or 0)))

    def predict(self, *examples: Example) -> Any:
        """Says what examples are: in the integers of the chip, or in floating point before quantization.

        Args:
            examples: photos' files, pictures of PIL, arrays (H, W, C) or tensors (C, H, W); see the user guide.

        Returns:
            A :class:`Prediction` for one example, a list of them for several.

        Raises:
            DataError: an example cannot be read, or has another shape.

        Example:
            >>> maxexp.load("zoo:cifar10_nascifarnet").predict("cat.jpg").label
            'cat'
        """
        images = torch.stack([pixels(example, self.description.dataset, self._scale) for example in examples])
        found = self._predictions(self.outputs(images))
        return found[0] if len(examples) == 1 else found

    @torch.no_grad()
    def outputs(self, images: Tensor) -> Tensor:
        """Returns the network's outputs, float64 (N, outputs), of uint8 pixels (N, C, H, W)."""
        if self.integer is not None:
            return self.integer.in_units(self.integer.predict(map_pixels(images, self._mapping)))
        assert self.module is not None
        return self.module.eval()(evaluation_input(images, self._mapping)).double()

    def evaluate(self, data: Iterable[Any] | str | os.PathLike[str] | None = None) -> dict[str, float]:
        """Returns the scores on examples, such as ``{"accuracy": 0.9191}``.

        Args:
            data: a loader of batches (images, labels), see the user guide; a folder, of which the test images are
                taken; by default the test images of the network's own data set.

        Raises:
            DataError: the data are missing, or have another shape.
        """
        examples = self._examples(data)
        if self.integer is not None:
            return evaluate_integer(self.integer, self._task, examples, self._mapping).scores
        assert self.module is not None
        return evaluate_module(self.module, self._task, examples, self._mapping).scores

    def quantize(
        self,
        bits: int = 8,
        calibration: Iterable[Any] | None = None,
        layer_bits: Mapping[str, int] | None = None,
        device: DeviceConfig = DEVICE,
    ) -> Model:
        """Quantizes a network in floating point after its training; this one is left as it is.

        Args:
            bits: of a weight, 8, 4, 2 or 1.
            calibration: a loader of training images, whose labels are not read; by default training images of the
                network's own data set.
            layer_bits: bits of single layers by name; ``first`` and ``last`` stand for the outermost.

        Raises:
            CheckpointError: the network is quantized already.
            ConfigError: there are no such bits, or no such layer.
            DeviceError: the network does not fit the chip.

        Example:
            >>> run.network.quantize(bits=4, layer_bits={"first": 8, "last": 8}).evaluate()
            {'accuracy': 0.9021}
        """
        if not isinstance(self._trained, Floating):
            raise CheckpointError(f"{self.name}: is quantized already; quantize the network in floating point")
        config = QuantizationConfig(method=Method.ptq, weight_bits=bits, layer_bits=dict(layer_bits or {}))
        network_cost(self._network, config.bits(self._network), device)
        module = copy.deepcopy(self._trained.module).eval()
        quantize_after_training(module, self._calibration_inputs(calibration, config.calibration_images), config)
        return Model(Quantized(module, to_integer(module), self._trained.module), self.description)

    def cost(self, device: DeviceConfig = DEVICE) -> Cost:
        """Returns what one inference costs on the chip. Raises DeviceError where the network does not fit."""
        return Cost(network_cost(self._network, dict(self._trained.bits or {}), device))

    def deploy(self, folder: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Path:
        """Writes the C project of the network's firmware, to be built by its Makefile; see the guide on boards.

        Args:
            folder: a new or an empty one.
            overrides: keys of ``synthesis`` and ``device`` as on the command line, such as ``["synthesis=ai8x"]``.

        Returns:
            The folder.

        Raises:
            CheckpointError: the network is not quantized.
            ConfigError, SynthesisError: the synthesizer is not there, or cannot write it.
            DeviceError: the network does not fit the chip.

        Example:
            >>> maxexp.load("zoo:cifar10_nascifarnet").deploy("firmware")
        """
        if isinstance(self._trained, Floating):
            raise CheckpointError(f"{self.name}: is in floating point, which the chip cannot run; quantize it first")
        from maxexp.api.deployment import write_firmware

        return write_firmware(self._trained, self.description, Path(folder), overrides)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes a checkpoint in the maker's format that knows its own description; :func:`maxexp.load` reads it."""
        target, extras = Path(path), self.description.extras()
        if self.module is not None:
            write_module(target, self.module, 0, extras)
        else:
            assert self.integer is not None
            write_integer(target, self.integer, 0, extras)
        return target

    def __repr__(self) -> str:
        shape, weights = dimensions(self._network.in_shape), self._network.weights
        layers, form = len(self._network.layers), _WORDS[self.form]
        data = self.description.dataset.name
        return f"<{self.name} for {data}, {form}: {layers} layers for {shape}, {weights:,} weights>"

    @property
    def _mapping(self) -> InputMapping | None:
        normalize = self.description.normalize
        return None if normalize is None else normalize.mapping

    @property
    def _scale(self) -> InputRange:
        """Returns the range of real inputs: of the training, else ``dataset.range``."""
        description = self.description
        if description.input_range.low or description.dataset.range is None:
            return description.input_range
        low, high = description.dataset.range
        return InputRange((low,), (high,))

    @property
    def _task(self) -> Task:
        return task_of(self.description.task)

    def _predictions(self, outputs: Tensor) -> list[Prediction]:
        rows: Sequence[Sequence[float]] = outputs.tolist()
        if self.description.task.name is not TaskName.classification:
            unit = self.description.unit
            offset, scale = torch.tensor(unit.offset), torch.tensor(unit.scale)
            return [Prediction(tuple(row), {}) for row in (outputs * scale + offset).tolist()]
        shares = outputs.softmax(1).tolist()
        return [Prediction.of_classes(*pair, self.classes) for pair in zip(rows, shares, strict=True)]

    def _examples(self, data: Iterable[Any] | str | os.PathLike[str] | None) -> ImageSet:
        if data is None or isinstance(data, (str, os.PathLike)):
            return load_split(self._dataset(data), "test")
        return gather(data, self.description.dataset, self._scale, list(self.classes))

    def _calibration_inputs(self, loader: Iterable[Any] | str | os.PathLike[str] | None, count: int) -> Tensor:
        """Returns float32 (N, C, H, W)."""
        if loader is None or isinstance(loader, (str, os.PathLike)):
            augmentation = AugmentationConfig(normalize=self.description.normalize)
            return RunData(self._dataset(loader), augmentation, 1, 1).calibration_inputs(count)
        images = first_images(loader, self.description.dataset, self._scale, count)
        return evaluation_input(images, self._mapping)

    def _dataset(self, folder: str | os.PathLike[str] | None) -> DatasetConfig:
        if folder is None:
            return self.description.dataset
        if not Path(folder).is_dir():
            raise ConfigError(f"{os.fspath(folder)}: no such folder; give one with images in <class>/, or a loader")
        return replace(self.description.dataset, root=os.fspath(folder))
