"""Checkpoints in the format of ai8x-training and ai8x-synthesis (docs/hardware.md, Checkpoints), in and out.

Files hold tensors, strings and numbers only, so that they load with ``weights_only=True``; the maker's own
also name an optimizer class, which is on the allow-list. Keys of QATv1 and QATv2 are read, QATv1 is written.
"""

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from maxexp.base.disk import writing
from maxexp.base.errors import CheckpointError
from maxexp.chip.numbers.arithmetic import BIAS_BITS, WEIGHT_BITS
from maxexp.chip.numbers.integer import IntegerLayer, IntegerNetwork, integer_layer
from maxexp.network.graph import Network
from maxexp.network.layer import Layer
from maxexp.network.module import BATCHNORM_MOMENTUM, LayerModule, NetworkModule, Numerics
from maxexp.quantization.files import structure
from maxexp.quantization.files.structure import LARGEST, check_archive, diverged
from maxexp.quantization.simulate.fake import ClampedNumerics, QuantizedNumerics

SCALARS = (
    "output_shift",
    "weight_bits",
    "bias_bits",
    "quantize_activation",
    "adjust_output_shift",
    "shift_quantile",
)
"""Numbers that a checkpoint holds for each layer, in their order."""

BITS = (0, 8)
SHIFTS = (-30, 30)
"""Before the bits of the weights are taken off; what the register holds is checked behind that."""
THRESHOLDS = (-32.0, 32.0)
"""Of QATv2, whose activations are scaled by two to the power of them."""

OPTIMIZERS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    kind for kind in vars(torch.optim).values() if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)
]


class Kind(Enum):
    """What the weights of a checkpoint are."""

    float = "float"
    """Floating point, before quantization-aware training."""
    quantized = "quantized"
    """Floating point, to be rounded with the bits and quantile in the file (QAT)."""
    integer = "integer"
    """Integers as the chip holds them (after the quantizer)."""


@dataclass
class Checkpoint:
    """A checkpoint as read; see :func:`read_checkpoint`."""

    path: Path
    kind: Kind
    arch: str
    epoch: int
    state: dict[str, Tensor]
    extras: dict[str, Any] = field(default_factory=dict)

    def scalar(self, layer: str, key: str, default: float, allowed: tuple[float, float]) -> float:
        """A per-layer number, or ``default`` where the file does not hold it.

        Args:
            allowed: the least and the greatest value that it may have.

        Raises:
            CheckpointError: it has another.
        """
        value = self.state.get(f"{layer}.{key}")
        number = default if value is None else float(value.flatten()[0])
        if not allowed[0] <= number <= allowed[1]:
            raise CheckpointError(
                f"checkpoint={self.path}: {layer}.{key} is {number:g}, and not from {allowed[0]:g} to "
                f"{allowed[1]:g}; it is damaged"
            )
        return number

    def whole(self, layer: str, key: str, default: int, allowed: tuple[int, int]) -> int:
        """The same, for whole numbers."""
        number = self.scalar(layer, key, default, allowed)
        if number != int(number):
            raise CheckpointError(f"checkpoint={self.path}: {layer}.{key} is {number:g}, and not a whole number")
        return int(number)

    def bits(self, network: Network) -> dict[str, int] | None:
        """Returns the weight bits by layer name; None for a floating-point checkpoint."""
        if self.kind is Kind.float:
            return None
        return {layer.name: self.layer_bits(layer.name) for layer in network if layer.has_weights}

    def layer_bits(self, layer: str) -> int:
        """Returns the weight bits of one layer; 0 in a file stands for 8, as in the maker's quantizer."""
        return self.whole(layer, "weight_bits", 8, BITS) or 8

    def quantile(self, layer: str) -> float:
        """Returns the share of a layer's magnitudes that its scale keeps in range."""
        return self.scalar(layer, "shift_quantile", 1.0, (0.0, 1.0))


def read_checkpoint(path: str | os.PathLike) -> Checkpoint:
    """Reads an ai8x checkpoint, ours or the maker's.

    Raises:
        CheckpointError: the file is missing, not a checkpoint, or holds objects that are not allowed.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"checkpoint={path}: no such file")
    try:
        check_archive(path)
        with torch.serialization.safe_globals(OPTIMIZERS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen types for files that are not its own
        raise CheckpointError(
            f"checkpoint={path}: not a readable checkpoint; it is damaged, no file of torch, or holds more than "
            "tensors and numbers; give a .pth.tar file of a run or of ai8x-training"
        ) from error
    remedy = "give the .pth.tar file of a run's checkpoints/ or quantization/ folder"
    if isinstance(content, dict) and "pytorch-lightning_version" in content:
        raise CheckpointError(
            f"checkpoint={path}: keeps the state of an interrupted training; continue it by resume=RUN_ID, or "
            f"{remedy}"
        )
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not any(str(key).endswith(".op.weight") for key in state):
        raise CheckpointError(
            f"checkpoint={path}: not in the ai8x format (no state_dict with LAYER.op.weight); {remedy}"
        )
    try:
        state, number, more = structure.tensors(state), structure.epoch(content), structure.extras(content)
    except ValueError as error:
        raise CheckpointError(f"checkpoint={path}: {error}; it is damaged, or not of this kind; {remedy}") from error
    arch = content.get("arch")
    return Checkpoint(path, _kind(state), arch if isinstance(arch, str) else "", number, state, more)


def to_module(checkpoint: Checkpoint, network: Network) -> NetworkModule:
    """The torch module of a float or quantized checkpoint, with the numerics that it was trained with.

    Raises:
        CheckpointError: it is of another network, or holds integers only.
    """
    if checkpoint.kind is Kind.integer:
        raise CheckpointError(
            f"checkpoint={checkpoint.path}: holds the integers of a quantized network, which cannot be trained or "
            "quantized again; give the checkpoint it was made from, or use stages=[evaluate,synthesize]"
        )
    _check_layers(checkpoint, network)
    module = NetworkModule(network)
    for layer in module.layers():
        layer.numerics = _numerics(checkpoint, layer.spec)
        if layer.op is None:
            continue
        name = layer.spec.name
        layer.bn = _batchnorm(checkpoint, layer.spec)
        keys = list(layer.state_dict())
        missing = [key for key in keys if f"{name}.{key}" not in checkpoint.state and "num_batches" not in key]
        if missing:
            raise CheckpointError(f"checkpoint={checkpoint.path}: {name}.{missing[0]} is missing")
        found = {key: checkpoint.state[f"{name}.{key}"] for key in keys if f"{name}.{key}" in checkpoint.state}
        _check_shapes(checkpoint, layer, found)
        layer.load_state_dict(found, strict=False)
        _apply_threshold(checkpoint, layer)
        _check_finite(checkpoint, layer)
    return module


def to_integer_network(checkpoint: Checkpoint, network: Network) -> IntegerNetwork:
    """The integer network of an integer checkpoint.

    Raises:
        CheckpointError: it is of another network, or its values do not fit their formats.
    """
    _check_layers(checkpoint, network)
    layers = []
    for spec in network:
        if not spec.has_weights:
            layers.append(IntegerLayer(spec))
            continue
        bias = checkpoint.state.get(f"{spec.name}.op.bias")
        bits = checkpoint.layer_bits(spec.name)
        if bias is not None:
            bias = (bias / 2 ** (bits - 1)).floor()
        shift = checkpoint.whole(spec.name, "output_shift", 0, SHIFTS) + 8 - bits
        quantile = checkpoint.quantile(spec.name)
        weight = checkpoint.state[f"{spec.name}.op.weight"]
        layers.append(integer_layer(spec, weight, bias, bits, shift, quantile))
    return IntegerNetwork(network, layers)


def write_module(path: Path, module: NetworkModule, epoch: int, extras: dict[str, Any]) -> None:
    """Writes a float or quantized (QAT) network; ``extras`` may hold numbers and strings."""
    state: OrderedDict[str, Tensor] = OrderedDict()
    for layer in module.layers():
        if layer.op is None:
            continue
        numerics = layer.numerics
        scalars = dict.fromkeys(SCALARS, 0.0) | {"shift_quantile": 1.0}
        if isinstance(numerics, QuantizedNumerics):
            values = (-numerics.exponent(layer), numerics.bits, numerics.bias_bits, 1, 1, numerics.quantile)
            scalars = dict(zip(SCALARS, values, strict=True))
        _add_layer(state, layer.spec.name, scalars, layer.state_dict())
    clamped = any(isinstance(layer.numerics, ClampedNumerics) for layer in module.layers())
    _save(path, module.network.name, state, epoch, {**extras, "maxexp_clamped": clamped})


def write_integer(path: Path, integer: IntegerNetwork, epoch: int, extras: dict[str, Any]) -> None:
    """Writes what the maker's quantizer would: integers as float32, scaled biases, output shifts."""
    state: OrderedDict[str, Tensor] = OrderedDict()
    for entry in integer.layers:
        if entry.weight is None:
            continue
        values = (entry.shift - 8 + entry.bits, entry.bits, BIAS_BITS, 1, 0, entry.quantile)
        scalars = dict(zip(SCALARS, values, strict=True))
        tensors = {"op.weight": entry.weight.float()}
        if entry.bias is not None:
            tensors["op.bias"] = entry.bias.float() * 2 ** (entry.bits - 1)
        _add_layer(state, entry.layer.name, scalars, tensors)
    _save(path, integer.network.name, state, epoch, extras)


def compact(source: Path, target: Path) -> None:
    """Rewrites a checkpoint in fewer bytes: integers as 1 byte a weight and 2 a bias, floating point as 2 each."""
    checkpoint = read_checkpoint(source)
    integer = checkpoint.kind is Kind.integer
    if broken := diverged(checkpoint.state):
        raise _diverged(checkpoint, broken)

    def smaller(key: str, value: Tensor) -> Tensor:
        if not key.endswith((".op.weight", ".op.bias")):
            return value
        return value.to((torch.int8 if key.endswith("weight") else torch.int16) if integer else torch.float16)

    state = OrderedDict((key, smaller(key, value)) for key, value in checkpoint.state.items())
    if large := diverged(state):
        raise CheckpointError(f"checkpoint={source}: {large} holds values beyond the range of float16")
    _save(target, checkpoint.arch, state, checkpoint.epoch, checkpoint.extras)


def _kind(state: dict[str, Tensor]) -> Kind:
    names = [key.removesuffix(".op.weight") for key in state if key.endswith(".op.weight")]

    def number(key: str, default: float) -> float:
        values = [state[f"{name}.{key}"] for name in names if f"{name}.{key}" in state]
        return max((float(value.max()) for value in values), default=default)

    if number("weight_bits", 0) == 0:
        return Kind.float
    return Kind.quantized if number("adjust_output_shift", 0) else Kind.integer


def _check_layers(checkpoint: Checkpoint, network: Network) -> None:
    shapes = {
        key.removesuffix(".op.weight"): tuple(value.shape)
        for key, value in checkpoint.state.items()
        if key.endswith(".op.weight")
    }
    wanted = {layer.name: layer.weight_shape for layer in network if layer.has_weights}
    where = f"checkpoint={checkpoint.path} is not of the network {network.name}"
    hint = "choose the model and dataset that it was trained with"
    extra, missing = [x for x in shapes if x not in wanted], [x for x in wanted if x not in shapes]
    if extra or missing:
        found = f"it has {extra[0]}" if extra else f"it lacks {missing[0]}"
        raise CheckpointError(f"{where}: {found}; {hint}")
    for name, shape in wanted.items():
        if shapes[name] != shape:
            raise CheckpointError(f"{where}: {name} is {shapes[name]}, the network's is {shape}; {hint}")
    for layer in network:
        if layer.has_weights and layer.bias != (f"{layer.name}.op.bias" in checkpoint.state):
            found = "lacks biases" if layer.bias else "has biases"
            raise CheckpointError(
                f"{where}: {layer.name} {found}; set model.layers.{layer.name}.bias={not layer.bias}"
            )
        if layer.has_weights and layer.bias:
            _check_bias(checkpoint, layer)


def _check_bias(checkpoint: Checkpoint, layer: Layer) -> None:
    shape = tuple(checkpoint.state[f"{layer.name}.op.bias"].shape)
    if shape != (layer.out_shape[0],):
        raise CheckpointError(f"checkpoint={checkpoint.path}: the biases of {layer.name} are {shape}; it is damaged")


def _check_shapes(checkpoint: Checkpoint, layer: LayerModule, found: dict[str, Tensor]) -> None:
    for key, value in layer.state_dict().items():
        if key in found and found[key].shape != value.shape:
            raise CheckpointError(
                f"checkpoint={checkpoint.path}: {layer.spec.name}.{key} is {tuple(found[key].shape)}, and not "
                f"{tuple(value.shape)}; it is damaged"
            )


def _check_finite(checkpoint: Checkpoint, layer: LayerModule) -> None:
    """Refuses weights that are no numbers, which would be trained, quantized and evaluated without a word."""
    name = layer.spec.name
    if broken := diverged(layer.state_dict()):
        raise _diverged(checkpoint, f"{name}.{broken}")
    if layer.bn is not None and layer.bn.running_var is not None and bool((layer.bn.running_var < 0).any()):
        raise CheckpointError(f"checkpoint={checkpoint.path}: {name}.bn.running_var is below 0; it is damaged")


def _diverged(checkpoint: Checkpoint, name: str) -> CheckpointError:
    return CheckpointError(
        f"checkpoint={checkpoint.path}: {name} holds values that are no finite numbers, or beyond "
        f"{LARGEST:g}; its training diverged, or it is damaged: give the checkpoint of another run"
    )


def _batchnorm(checkpoint: Checkpoint, spec: Layer) -> nn.BatchNorm2d | None:
    """Returns the batch norm as the file has it: it may have been folded, and the maker's has no affine
    parameters."""
    if f"{spec.name}.bn.running_mean" not in checkpoint.state:
        return None
    if checkpoint.kind is Kind.quantized:
        raise CheckpointError(
            f"checkpoint={checkpoint.path}: {spec.name} is quantized and still has batch norm, which the chip lacks; "
            "give a checkpoint whose batch norm was folded"
        )
    affine = f"{spec.name}.bn.weight" in checkpoint.state
    if not spec.bias:
        raise CheckpointError(
            f"checkpoint={checkpoint.path}: {spec.name} has batch norm, whose offset needs "
            f"model.layers.{spec.name}.bias=true"
        )
    return nn.BatchNorm2d(spec.out_shape[0], momentum=BATCHNORM_MOMENTUM, affine=affine)


def _numerics(checkpoint: Checkpoint, spec: Layer) -> Numerics:
    if checkpoint.kind is Kind.quantized:
        bits = checkpoint.layer_bits(spec.name)
        if bits not in WEIGHT_BITS:
            raise CheckpointError(f"layer {spec.name}: {bits}-bit weights; the chip has 1, 2, 4 and 8 bits")
        bias_bits = checkpoint.whole(spec.name, "bias_bits", bits, BITS) or bits
        return QuantizedNumerics(bits, bias_bits, checkpoint.quantile(spec.name))
    # QATv1 always clamps; QATv2 says so per layer; ours says so in the extras.
    clamped = checkpoint.scalar(spec.name, "clamp_activation", 1.0, (0.0, 1.0))
    return ClampedNumerics() if checkpoint.extras.get("maxexp_clamped", clamped) else Numerics()


@torch.no_grad()
def _apply_threshold(checkpoint: Checkpoint, layer: LayerModule) -> None:
    """Applies QATv2's scale 2^-threshold of a layer's output to its weights: the same, and it needs no key."""
    threshold = checkpoint.scalar(layer.spec.name, "activation_threshold", 0.0, THRESHOLDS)
    if checkpoint.kind is Kind.quantized and not layer.spec.wide and threshold:
        for parameter in layer.parameters():
            parameter.mul_(2.0**-threshold)


def _add_layer(
    state: OrderedDict[str, Tensor], name: str, scalars: dict[str, float], tensors: dict[str, Tensor]
) -> None:
    for key, number in scalars.items():
        state[f"{name}.{key}"] = torch.tensor([float(number)])
    for key, value in tensors.items():
        state[f"{name}.{key}"] = value.detach().cpu().clone()


def _save(path: Path, arch: str, state: OrderedDict[str, Tensor], epoch: int, extras: dict[str, Any]) -> None:
    partial = path.with_name(path.name + ".part")
    # Trained channels last; the maker's quantizer counts on the order of the shape.
    state = OrderedDict((key, value.contiguous()) for key, value in state.items())
    with writing("checkpoint", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"epoch": epoch, "arch": arch, "state_dict": state, "extras": extras}, partial)
        os.replace(partial, path)
