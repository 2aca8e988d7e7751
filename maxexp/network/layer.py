"""One layer with all its shapes, and how it comes from its entry in the description."""

from dataclasses import dataclass
from enum import Enum
from math import ceil, prod

from maxexp.network.config import Activation, BatchNorm, LayerConfig, Pool
from maxexp.network.operation import Geometry, Operation, refuse, size_key
from maxexp.network.operations import OPERATIONS
from maxexp.network.sizes import Shape, Size, dimensions

OPTIONAL_KEYS = {key for op in OPERATIONS.values() for key in (*op.keys, op.outputs) if key}
"""Keys of an entry that some operations read and others do not."""


@dataclass(frozen=True, kw_only=True)
class Layer(Geometry):
    """One hardware layer with its shapes; all counts follow from it.

    Attributes:
        op: its operation, a key of the registries.
        inputs: names of the operands, all of one shape.
        in_shape: (C, H, W) as which one operand is read.
        in_size: its (H, W) where the operand has other rows and columns, of as many pixels; else None.
        pool_size, pool_stride: (height, width); (1, 1) without pooling.
        pooled_shape: after pooling; equal to ``in_shape`` without.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    in_shape: Shape
    in_size: Size | None
    pool: Pool | None
    pool_size: Size
    pool_stride: Size
    pooled_shape: Shape
    activation: Activation
    bias: bool
    batchnorm: BatchNorm
    dropout: float
    wide: bool

    @property
    def operands(self) -> int:
        return len(self.inputs)

    @property
    def has_weights(self) -> bool:
        return bool(self.weight_shape)

    @property
    def weights(self) -> int:
        return prod(self.weight_shape) if self.has_weights else 0

    @property
    def biases(self) -> int:
        return self.out_shape[0] if self.bias else 0

    @property
    def macs(self) -> int:
        """Returns the multiply-accumulates, padding counted (docs/hardware.md, Counting operations)."""
        return self.weights * self.out_shape[1] * self.out_shape[2]

    @property
    def comparisons(self) -> int:
        """Comparisons of activation and max pooling (docs/hardware.md, Counting operations)."""
        pooling = self._pooled_elements if self.pool is Pool.max else 0
        return pooling + (prod(self.out_shape) if self.activation is not Activation.none else 0)

    @property
    def additions(self) -> int:
        """Additions of average pooling and element-wise operands (docs/hardware.md, Counting operations)."""
        pooling = self._pooled_elements if self.pool is Pool.avg else 0
        return pooling + (self.operands - 1) * prod(self.in_shape)

    @property
    def ops(self) -> int:
        return self.macs + self.comparisons + self.additions

    @property
    def _pooled_elements(self) -> int:
        # Operands are combined before they are pooled, so one map is pooled whatever their number.
        return prod(self.pool_size) * prod(self.pooled_shape)


def resolve_layer(
    name: str,
    entry: LayerConfig,
    inputs: tuple[str, ...],
    in_shape: Shape,
    last: bool = False,
    width: float = 1.0,
) -> Layer:
    """The layer that an entry describes.

    Args:
        inputs: names of its operands.
        in_shape: of one operand.
        last: whether it is the network's last.
        width: see :func:`scale_channels`.

    Raises:
        NetworkError: a key has no meaning for the operation or a meaningless value, or the input is too small.
    """
    operation = OPERATIONS[entry.op]
    _check_keys(name, entry, operation, last)
    in_size = _in_size(name, entry, in_shape)
    in_shape = (in_shape[0], *(in_size or in_shape[1:]))
    size, stride, pooled = _pooling(name, entry, in_shape)
    outputs = in_shape[0]
    if operation.outputs is not None:
        outputs = scale_channels(getattr(entry, operation.outputs), width)
    geometry = operation.geometry(name, entry, pooled, outputs)
    if min(*pooled, *geometry.out_shape) < 1:
        refuse(name, f": its {dimensions(in_shape[1:])} input is too small; remove a pooling or enlarge the image")
    weighted = bool(geometry.weight_shape)
    # Class scores may be negative, so the last layer has no ReLU unless it asks for one.
    plain = last or entry.wide or not weighted
    return Layer(
        name=name,
        op=entry.op,
        inputs=inputs,
        in_shape=in_shape,
        in_size=in_size,
        pool=entry.pool,
        pool_size=size,
        pool_stride=stride,
        pooled_shape=pooled,
        activation=entry.activation or (Activation.none if plain else Activation.relu),
        bias=entry.bias and weighted,
        batchnorm=entry.batchnorm,
        dropout=entry.dropout,
        wide=entry.wide,
        **vars(geometry),
    )


def scale_channels(channels: int, width: float) -> int:
    """Channels times ``width``, rounded up to a multiple of 4; unchanged for width 1."""
    return channels if width == 1 else max(4, 4 * ceil(channels * width / 4 - 1e-9))


def _check_keys(name: str, entry: LayerConfig, operation: Operation, last: bool) -> None:
    counts = operation.outputs
    for key in sorted(OPTIONAL_KEYS - operation.keys - {counts}):
        value = getattr(entry, key)
        if value != getattr(LayerConfig, key):
            refuse(name, f".{key}={_shown(value)}: has no meaning for op {entry.op}")
    if counts is not None and (getattr(entry, counts) or 0) < 1:
        refuse(name, f".{counts}={getattr(entry, counts)}: op {entry.op} needs a positive number here")
    if entry.batchnorm is not BatchNorm.none and not entry.bias:
        refuse(name, ".batchnorm: needs bias: true, which receives the folded offset")
    if not 0 <= entry.dropout < 1:
        refuse(name, f".dropout={entry.dropout}: must be at least 0 and below 1")
    if entry.wide and not last:
        refuse(name, ".wide=true: only the last layer can have a 32-bit output")
    if (entry.wide or counts is None) and entry.activation not in (None, Activation.none):
        refuse(name, f".activation={entry.activation.name}: must be none in a wide layer and in one without weights")


def _in_size(name: str, entry: LayerConfig, in_shape: Shape) -> Size | None:
    """Returns the rows and columns of a reshaped input; None where they are as they were."""
    if entry.in_size is None:
        return None
    size = size_key(name, entry, "in_size", 1)
    if prod(size) != prod(in_shape[1:]):
        refuse(
            name,
            f".in_size={entry.in_size}: {prod(size):,} pixels; its input has {dimensions(in_shape[1:])}, "
            f"{prod(in_shape[1:]):,}",
        )
    return size if size != in_shape[1:] else None


def _pooling(name: str, entry: LayerConfig, in_shape: Shape) -> tuple[Size, Size, Shape]:
    """Returns the window, stride and the shape behind them."""
    channels, rows, cols = in_shape
    if entry.pool is None:
        for key in ("pool_size", "pool_stride"):
            value = getattr(entry, key)
            if value != getattr(LayerConfig, key):
                refuse(name, f".{key}={value}: has no meaning without pool: max or avg")
        return (1, 1), (1, 1), in_shape
    size = size_key(name, entry, "pool_size", 1)
    if cols == 1 and isinstance(entry.pool_size, int):
        size = size[0], 1
    stride = size if entry.pool_stride is None else size_key(name, entry, "pool_stride", 1)
    (high, wide), (down, right) = size, stride
    return size, stride, (channels, (rows - high) // down + 1, (cols - wide) // right + 1)


def _shown(value: object) -> str:
    """A value as YAML has it."""
    if isinstance(value, Enum):
        return value.name
    return str(value).lower() if isinstance(value, bool) else str(value)
