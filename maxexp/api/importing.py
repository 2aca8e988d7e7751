"""Networks of others as networks of the chip: ``maxexp.from_torch`` and ``maxexp.from_onnx``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from maxexp.api.asked import Dataset, dataset_overrides
from maxexp.api.model import DEVICE, Model
from maxexp.base.errors import NetworkError
from maxexp.data.augmentation.config import NormalizeConfig
from maxexp.data.class_names import published_names
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.importing.network import Imported, build
from maxexp.importing.steps import Graph
from maxexp.network.sizes import Shape, dimensions
from maxexp.run.networks import Floating
from maxexp.run.self_description import SelfDescription
from maxexp.schema.config import to_plain
from maxexp.tasks.config import TaskConfig

if TYPE_CHECKING:
    from torch import nn

EXAMPLES = 4
"""Random inputs on which a torch module and what it became are compared."""
TOLERANCE = 1e-3
"""Of that comparison, relative to the largest output; both compute in float32."""


class ImportedModel(Model):
    """A network of others in floating point, with its weights.

    Attributes:
        changes: what was put in the place of what the chip lacks, one sentence each; none with ``strict=True``.
    """

    def __init__(self, imported: Imported, description: SelfDescription) -> None:
        super().__init__(Floating(imported.module), description)
        self.changes = imported.changes

    def write_yaml(self, path: str | os.PathLike[str]) -> Path:
        """Writes the description, which ``maxexp.network`` and ``model=FILE`` read."""
        plain = to_plain(self.description.model)
        layers = {
            name: {key: value for key, value in layer.items() if key == "op" or value not in (None, False, 0.0)}
            for name, layer in plain["layers"].items()
        }
        for name, layer in plain["layers"].items():
            if not layer["bias"]:
                layers[name]["bias"] = False
        target = Path(path)
        target.write_text(yaml.safe_dump({"name": plain["name"], "layers": layers}, sort_keys=False, width=110))
        return target


def from_torch(
    module: nn.Module,
    in_shape: Sequence[int],
    dataset: Dataset | None = None,
    *,
    name: str | None = None,
    classes: Sequence[str] = (),
    strict: bool = True,
) -> ImportedModel:
    """Makes a network of the chip of a torch module, with its weights.

    Convolutions, batch norm, ReLU, pooling, sums, linear layers, flatten and dropout are read, as modules and as
    functions, and the layers of ai8x-training. The module must read what all networks here read: pixels as
    (p - 128) / 128, not torchvision's normalization; else train it on.

    Args:
        in_shape: of one example: (C, H, W), or (C, L) of signals.
        dataset: what it was trained on, as of :func:`maxexp.network`; default a set of images of this shape, with as
            many classes as there are outputs.
        name: of the network; default that of the class.
        classes: their names.
        strict: whether what the chip lacks is refused; else the nearest that it has is put there (a stride becomes
            pooling, 5x5 two 3x3, ReLU6 a ReLU), and ``changes`` says what.

    Raises:
        NetworkError, DeviceError: names the first layer that the chip lacks, and what to put there.

    Example:
        >>> model = maxexp.from_torch(my_module, (3, 32, 32))
        >>> model.quantize(calibration=loader).deploy("firmware/")
    """
    from maxexp.importing.from_torch import torch_graph

    shape = _shape(in_shape)
    imported = _built(torch_graph(module), name or type(module).__name__.lower(), shape, strict)
    if not imported.changes:
        _compare(module, imported, tuple(in_shape))
    return ImportedModel(imported, _described(imported, shape, dataset, classes))


def from_onnx(
    path: str | os.PathLike[str],
    dataset: Dataset | None = None,
    *,
    name: str | None = None,
    classes: Sequence[str] = (),
    strict: bool = True,
) -> ImportedModel:
    """Makes a network of the chip of an ONNX file, with its weights; as :func:`from_torch` does of a module.

    Needs the package ``onnx``: ``pip install 'maxexp[onnx]'``.

    Raises:
        NetworkError, DeviceError: the file cannot be read, or names the first layer that the chip lacks.

    Example:
        >>> maxexp.from_onnx("net.onnx").cost().latency_us
        1027.38
    """
    from maxexp.importing.from_onnx import onnx_graph

    file = Path(path)
    graph, shape = onnx_graph(file)
    imported = _built(graph, name or file.stem, shape, strict)
    return ImportedModel(imported, _described(imported, shape, dataset, classes))


def _built(graph: Graph, name: str, shape: Shape, strict: bool) -> Imported:
    return build(graph, name, shape, DEVICE.part, strict)


def _shape(in_shape: Sequence[int]) -> Shape:
    if not 1 <= len(in_shape) <= 3:
        raise NetworkError(f"in_shape={tuple(in_shape)}: give (C, H, W) of one example, or (C, L) of a signal")
    channels, rows, cols = [*map(int, in_shape), 1, 1][:3]
    return channels, rows, cols


def _described(imported: Imported, shape: Shape, dataset: Dataset | None, classes: Sequence[str]) -> SelfDescription:
    outputs = imported.module.network.out_features
    if dataset is None:
        source = DatasetSource.images if shape[0] in (1, 3) else DatasetSource.arrays
        config = DatasetConfig("examples", source, *shape, num_classes=max(2, outputs))
    else:
        config = _dataset(dataset)
    if config.shape != shape or config.outputs != outputs:
        raise NetworkError(
            f"{imported.config.name}: reads {dimensions(shape)} and gives {outputs} numbers; the data set "
            f"{config.name} has {dimensions(config.shape)} and {config.outputs}"
        )
    names = tuple(classes) or published_names(config)
    return SelfDescription(imported.config, TaskConfig(), config, NormalizeConfig(), names)


def _dataset(dataset: Dataset) -> DatasetConfig:
    from maxexp.run.composition import compose_config

    return replace(compose_config(dataset_overrides(dataset)).dataset)


def _compare(module: nn.Module, imported: Imported, in_shape: tuple[int, ...]) -> None:
    """Raises NetworkError where both come to different outputs: what was read is not what the module computes."""
    import torch

    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(EXAMPLES, *in_shape, generator=generator) * 2 - 1
    with torch.no_grad():
        theirs: Any = module.eval()(inputs)
        ours = imported.module(inputs.reshape(EXAMPLES, *_shape(in_shape)))
    difference = float((theirs.reshape(EXAMPLES, -1) - ours).abs().max()) if theirs.numel() == ours.numel() else 1.0
    if difference > TOLERANCE * max(1.0, float(theirs.abs().max())):
        raise NetworkError(
            f"{imported.config.name}: was read as another function than it is (outputs differ by {difference:.3g}); "
            "please report it, with the module"
        )
