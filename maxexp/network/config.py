"""The grammar of a network description: named layers, one entry per hardware layer of the chip."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from maxexp.base.errors import ConfigError, NetworkError
from maxexp.base.frozen import frozen

OPERATIONS = tuple(sorted(module.name for module in iter_modules([str(Path(__file__).parent / "operations")])))
"""The operations that a layer can have; each is a file of that folder."""


class Pool(Enum):
    """Pooling fused in front of the operation."""

    max = "max"
    avg = "avg"


class Eltwise(Enum):
    """Element-wise combination of several inputs, in front of pooling and operation."""

    add = "add"
    sub = "sub"


class Activation(Enum):
    """What follows the operation."""

    relu = "relu"
    abs = "abs"
    none = "none"


class BatchNorm(Enum):
    """Batch normalization after the operation; folded into its weights before quantization."""

    none = "none"
    affine = "affine"
    no_affine = "no_affine"


@frozen
@dataclass
class LayerConfig:
    """One hardware layer: element-wise operands, reshape, pooling, dropout, operation, batch norm, activation.

    Sizes are one number, or a pair ``[height, width]``. An operation reads some of the keys; one that it does not
    read is refused unless it has its default.

    Attributes:
        op: the operation, a file of ``network/operations``.
        out_channels: output channels of a convolution.
        out_features: outputs of ``linear``, which flattens a (C, H, W) input in row-major order.
        kernel_size: of a convolution, in pixels.
        padding: rows and columns of zeros on each side; by default an odd kernel leaves the size as it is.
        dilation: steps between the pixels that a kernel reads.
        in_size: rows and columns as which the input is read, ``[height, width]``, its pixels in the same order: from
            a signal to a map and back.
        pool: pooling in front of the operation.
        pool_size: pooling window, in pixels; one number is a square, for a signal a length.
        pool_stride: default ``pool_size``.
        activation: default ``relu``; ``none`` for wide and passthrough layers and for the last.
        bias: whether the operation adds a bias per output channel.
        batchnorm: normalization after the operation; needs ``bias``, which receives its offset.
        dropout: probability of zeroing an input of the operation while training.
        wide: 32-bit output without shift and activation; last layer only.
        inputs: names of the layers read (``input`` is the network's input); default the previous layer.
        eltwise: how several inputs are combined.
    """

    op: str = "conv2d"
    out_channels: int | None = None
    out_features: int | None = None
    # OmegaConf cannot declare a number or a list; ``network.sizes.as_size`` reads them.
    kernel_size: Any = 3
    padding: Any = None
    dilation: Any = 1
    in_size: Any = None
    pool: Pool | None = None
    pool_size: Any = 2
    pool_stride: Any = None
    activation: Activation | None = None
    bias: bool = True
    batchnorm: BatchNorm = BatchNorm.none
    dropout: float = 0.0
    wide: bool = False
    inputs: list[str] | None = None
    eltwise: Eltwise | None = None


@frozen
@dataclass
class NetworkConfig:
    """A whole network.

    Attributes:
        name: written to checkpoints and run records.
        width: factor on the channels of all hidden layers, rounded up to multiples of 4, which hardware stores
            together; 1 leaves them as written.
        layers: in the order of execution; names become parameter names (``conv1.op.weight``).
    """

    name: str = "???"
    width: float = 1.0
    layers: dict[str, LayerConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.width <= 16:
            raise ConfigError(f"model.width={self.width}: must be above 0 and at most 16")
        if not self.layers:
            raise ConfigError("model.layers is empty: a network needs at least one layer")
        for name, layer in self.layers.items():
            if layer.op not in OPERATIONS:
                known = ", ".join(OPERATIONS)
                raise NetworkError(f"model.layers.{name}.op={layer.op}: no such operation; there are {known}")
