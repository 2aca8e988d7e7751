"""A network with all shapes resolved: the one source of weights, MACs, module, map and cycles."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, prod
from typing import NoReturn

from maxexp.base.errors import NetworkError
from maxexp.network.config import Activation, BatchNorm, Eltwise, LayerConfig, NetworkConfig, Op, Pool

INPUT = "input"
"""Name by which a layer refers to the network's input."""

MAX_POOL = 16
"""Largest pooling window and stride."""

_RESERVED = """
    input layers module network
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
    eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict
    modules mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
"""
RESERVED_NAMES = frozenset(_RESERVED.split())
"""Names that are taken: attributes of the torch module, whose children the layers become, and our own words.

Written out, for torch takes a second to import, and a network shall be refused at once."""

Shape = tuple[int, int, int]
"""(channels, height, width)."""


@dataclass(frozen=True)
class Layer:
    """One hardware layer with its shapes; all counts follow from it.

    Attributes:
        inputs: names of the operands, all of shape ``in_shape``.
        in_shape: (C, H, W) of one operand.
        pooled_shape: after pooling; equal to ``in_shape`` without.
        out_shape: (C, H, W); a ``linear`` layer gives (out_features, 1, 1).
        kernel_size: side of the kernel; 1 for ``linear`` and ``passthrough``.
        flatten: whether a ``linear`` layer reads a map of more than one pixel.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    in_shape: Shape
    pool: Pool | None
    pool_size: int
    pool_stride: int
    pooled_shape: Shape
    out_shape: Shape
    kernel_size: int
    padding: int
    activation: Activation
    bias: bool
    batchnorm: BatchNorm
    dropout: float
    wide: bool

    @property
    def operands(self) -> int:
        return len(self.inputs)

    @property
    def flatten(self) -> bool:
        return self.op is Op.linear and self.pooled_shape[1:] != (1, 1)

    @property
    def has_weights(self) -> bool:
        return self.op is not Op.passthrough

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """PyTorch's order: (out, in, k, k) or (out, in); empty without weights."""
        if self.op is Op.conv2d:
            return (self.out_shape[0], self.in_shape[0], self.kernel_size, self.kernel_size)
        return (self.out_shape[0], prod(self.pooled_shape)) if self.op is Op.linear else ()

    @property
    def weights(self) -> int:
        return prod(self.weight_shape) if self.has_weights else 0

    @property
    def biases(self) -> int:
        return self.out_shape[0] if self.has_weights and self.bias else 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates, padding counted (hardware.md 5.3)."""
        return self.weights * self.out_shape[1] * self.out_shape[2]

    @property
    def comparisons(self) -> int:
        """Comparisons of activation and max pooling (hardware.md 5.3)."""
        pooling = self._pooled_elements if self.pool is Pool.max else 0
        return pooling + (prod(self.out_shape) if self.activation is not Activation.none else 0)

    @property
    def additions(self) -> int:
        """Additions of average pooling and element-wise operands (hardware.md 5.3)."""
        pooling = self._pooled_elements if self.pool is Pool.avg else 0
        return pooling + (self.operands - 1) * prod(self.in_shape)

    @property
    def ops(self) -> int:
        return self.macs + self.comparisons + self.additions

    @property
    def _pooled_elements(self) -> int:
        # Operands are combined before they are pooled, so one map is pooled whatever their number.
        return self.pool_size**2 * prod(self.pooled_shape)


@dataclass(frozen=True)
class Network:
    """Layers in order of execution, of a network with input ``in_shape`` (C, H, W)."""

    name: str
    in_shape: Shape
    layers: tuple[Layer, ...]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @property
    def out_features(self) -> int:
        return prod(self.layers[-1].out_shape)

    @cached_property
    def by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def last_use(self) -> dict[str, int]:
        """Index of the last layer that reads each tensor; a tensor can be dropped after it."""
        return {name: index for index, layer in enumerate(self.layers) for name in layer.inputs}

    @cached_property
    def tied_tensors(self) -> list[list[str]]:
        """Groups of tensors that share processors and scale: operands of one sum, ends of a passthrough."""
        group_of = {name: [name] for name in (INPUT, *self.by_name)}
        for layer in self.layers:
            together = list(layer.inputs) if layer.has_weights else [*layer.inputs, layer.name]
            for other in together[1:]:
                left, right = group_of[together[0]], group_of[other]
                if left is not right:
                    left.extend(right)
                    group_of.update(dict.fromkeys(right, left))
        return list({id(group): group for group in group_of.values()}.values())

    @property
    def weights(self) -> int:
        return sum(layer.weights for layer in self.layers)

    @property
    def biases(self) -> int:
        return sum(layer.biases for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def ops(self) -> int:
        return sum(layer.ops for layer in self.layers)


def build_network(config: NetworkConfig, in_shape: Shape) -> Network:
    """Resolve the shapes of a description for inputs of ``in_shape``.

    Raises:
        NetworkError: an entry is meaningless or not supported; the message names its key.
    """
    shapes: dict[str, Shape] = {INPUT: in_shape}
    layers: list[Layer] = []
    names = list(config.layers)
    for name, entry in config.layers.items():
        last = name == names[-1]
        _check_entry(name, entry, last)
        previous = layers[-1].name if layers else INPUT
        width = 1.0 if last else config.width
        inputs = tuple(entry.inputs or [previous])
        shape = _operand_shape(name, inputs, shapes)
        layer = _resolve(name, entry, inputs, shape, width, _activation(entry, last))
        shapes[name] = layer.out_shape
        layers.append(layer)
    network = Network(config.name, in_shape, tuple(layers))
    for name in names[:-1]:
        if name not in network.last_use:
            _fail(name, ": no later layer reads it; name it in some layer's inputs")
    if not network.weights:
        raise NetworkError("model.layers: all are passthrough; a network needs a layer with weights")
    return network


def scale_channels(channels: int, width: float) -> int:
    """Channels times ``width``, rounded up to a multiple of 4; unchanged for width 1."""
    return channels if width == 1 else max(4, 4 * ceil(channels * width / 4 - 1e-9))


def _fail(name: str, text: str) -> NoReturn:
    raise NetworkError(f"model.layers.{name}{text}")


def _check_entry(name: str, entry: LayerConfig, last: bool) -> None:
    if not name.isidentifier() or name.startswith("_") or name in RESERVED_NAMES:
        _fail(name, f": '{name}' cannot be a layer's name; choose another identifier, such as {name.strip('_')}_1")
    if entry.op in (Op.conv1d, Op.convtranspose2d):
        _fail(name, f".op={entry.op.name}: not supported yet; use conv2d, linear or passthrough")
    _check_size_keys(name, entry)
    _check_pool_keys(name, entry)
    _check_inputs(name, entry)
    if not 0 <= entry.dropout < 1:
        _fail(name, f".dropout={entry.dropout}: must be at least 0 and below 1")
    if entry.dropout and entry.op is Op.passthrough:
        _fail(name, f".dropout={entry.dropout}: a passthrough layer has no operation whose inputs it could zero")
    if entry.batchnorm is not BatchNorm.none and not (entry.bias and entry.op is Op.conv2d):
        _fail(name, ".batchnorm: needs op: conv2d with bias: true, which receives the folded offset")
    if entry.wide and not last:
        _fail(name, ".wide=true: only the last layer can have a 32-bit output")
    if (entry.wide or entry.op is Op.passthrough) and entry.activation not in (None, Activation.none):
        _fail(name, f".activation={entry.activation.name}: must be none for a wide or passthrough layer")
    if entry.wide and entry.op is Op.passthrough:
        _fail(name, ".wide=true: a passthrough layer has 8-bit outputs")


def _check_size_keys(name: str, entry: LayerConfig) -> None:
    wanted = {Op.conv2d: "out_channels", Op.linear: "out_features"}.get(entry.op)
    for key in ("out_channels", "out_features"):
        value = getattr(entry, key)
        if key == wanted and (value is None or value < 1):
            _fail(name, f".{key}={value}: op {entry.op.name} needs a positive number here")
        if key != wanted and value is not None:
            _fail(name, f".{key}: has no meaning for op {entry.op.name}")
    if entry.op is not Op.conv2d:
        if entry.padding:
            _fail(name, f".padding={entry.padding}: has no meaning for op {entry.op.name}")
        if entry.kernel_size != LayerConfig.kernel_size:
            _fail(name, f".kernel_size={entry.kernel_size}: has no meaning for op {entry.op.name}")
        return
    if entry.kernel_size not in (1, 3):
        _fail(name, f".kernel_size={entry.kernel_size}: must be 1 or 3")
    if entry.padding is not None and not 0 <= entry.padding < entry.kernel_size:
        _fail(name, f".padding={entry.padding}: must be from 0 to {entry.kernel_size - 1}")


def _check_pool_keys(name: str, entry: LayerConfig) -> None:
    if entry.pool is None:
        for key in ("pool_size", "pool_stride"):
            value = getattr(entry, key)
            if value != getattr(LayerConfig, key):
                _fail(name, f".{key}={value}: has no meaning without pool: max or avg")
        return
    if entry.op is Op.linear:
        _fail(name, ".pool: a linear layer cannot pool; pool in front of a 1x1 conv2d or a passthrough")
    # A window of 1 is plain sub-sampling, which the chip counts and combines differently.
    if not 2 <= entry.pool_size <= MAX_POOL:
        _fail(name, f".pool_size={entry.pool_size}: must be from 2 to {MAX_POOL}")
    if entry.pool_stride is not None and not 1 <= entry.pool_stride <= MAX_POOL:
        _fail(name, f".pool_stride={entry.pool_stride}: must be from 1 to {MAX_POOL}")


def _check_inputs(name: str, entry: LayerConfig) -> None:
    if entry.eltwise is Eltwise.sub:
        _fail(name, ".eltwise=sub: not supported yet; use add")
    inputs = entry.inputs or []
    if len(inputs) > 1 and entry.eltwise is None:
        _fail(name, f".inputs has {len(inputs)} entries: add eltwise: add (concatenation is not supported yet)")
    if entry.eltwise is not None and len(inputs) < 2:
        _fail(name, f".eltwise={entry.eltwise.name}: needs at least two inputs")
    for operand in inputs:
        if inputs.count(operand) > 1:
            _fail(name, f".inputs: {operand} is there twice; name each layer once")


def _operand_shape(name: str, inputs: tuple[str, ...], shapes: dict[str, Shape]) -> Shape:
    for operand in inputs:
        if operand not in shapes:
            _fail(name, f".inputs: '{operand}' is not an earlier layer (there are: {', '.join(shapes)})")
        if shapes[operand] != shapes[inputs[0]]:
            first, other = shapes[inputs[0]], shapes[operand]
            _fail(name, f".inputs: {operand} is {other}, {inputs[0]} is {first}; must be equal")
    return shapes[inputs[0]]


def _activation(entry: LayerConfig, last: bool) -> Activation:
    # Class scores may be negative, so the last layer has no ReLU unless it asks for one.
    plain = last or entry.wide or entry.op is Op.passthrough
    return entry.activation or (Activation.none if plain else Activation.relu)


def _resolve(
    name: str, entry: LayerConfig, inputs: tuple[str, ...], in_shape: Shape, width: float, activation: Activation
) -> Layer:
    convolution, operation = entry.op is Op.conv2d, entry.op is not Op.passthrough
    kernel = entry.kernel_size if convolution else 1
    padding = (kernel // 2 if entry.padding is None else entry.padding) if convolution else 0
    stride = entry.pool_stride or entry.pool_size
    channels, rows, cols = in_shape
    if entry.pool is not None:
        rows, cols = ((n - entry.pool_size) // stride + 1 for n in (rows, cols))
    side = 2 * padding - kernel + 1
    outputs = scale_channels(entry.out_channels or entry.out_features or channels, width) if operation else channels
    out_shape = (outputs, 1, 1) if entry.op is Op.linear else (outputs, rows + side, cols + side)
    if min(rows, cols, *out_shape) < 1:
        size = f"{in_shape[1]}x{in_shape[2]}"
        _fail(name, f": its {size} input is too small; remove a pooling or enlarge the image")
    return Layer(
        name=name,
        op=entry.op,
        inputs=inputs,
        in_shape=in_shape,
        pool=entry.pool,
        pool_size=entry.pool_size if entry.pool else 1,
        pool_stride=stride if entry.pool else 1,
        pooled_shape=(channels, rows, cols),
        out_shape=out_shape,
        kernel_size=kernel,
        padding=padding,
        activation=activation,
        bias=entry.bias and operation,
        batchnorm=entry.batchnorm,
        dropout=entry.dropout,
        wide=entry.wide,
    )
