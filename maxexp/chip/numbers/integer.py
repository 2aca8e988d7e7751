"""The network as the chip computes it: integers in, integers out, every bit as on the device.

Values are integers throughout. Convolutions run in float32 where that is provably exact: all partial sums
are integers of magnitude below 2^24 if ``sum |w| * 128 <= 2^24`` over each output's weights, and input
channels are split into groups until that holds (docs/hardware.md, Integer arithmetic).
"""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from maxexp.base.errors import CheckpointError
from maxexp.chip.numbers.arithmetic import (
    ACTIVATION_MAX,
    ACTIVATION_MIN,
    BIAS_BITS,
    BIAS_FACTOR,
    MAX_SHIFT,
    WEIGHT_BITS,
    round_shift,
)
from maxexp.network.config import Activation, Pool
from maxexp.network.graph import INPUT, Network
from maxexp.network.layer import Layer
from maxexp.network.torch_ops import TORCH_OPERATIONS

EXACT_FLOAT32 = 2**24


@dataclass(frozen=True)
class IntegerLayer:
    """Weights of one layer as the chip holds them.

    Attributes:
        weight: int8, of ``layer.weight_shape``; None for a passthrough.
        bias: int8 (out,) or None.
        bits: bits of a weight.
        shift: final output shift, -15 to 15, ``8 - bits`` included; without effect on wide layers.
        quantile: share of magnitudes that the scale kept in range; goes along to checkpoints.
    """

    layer: Layer
    weight: Tensor | None = None
    bias: Tensor | None = None
    bits: int = 8
    shift: int = 0
    quantile: float = 1.0


class IntegerNetwork:
    """Bit-exact evaluation, on the CPU: other devices lack float64, or have other ideas of float32.

    Args:
        network: the description.
        layers: one per layer of ``network``, in order.
    """

    def __init__(self, network: Network, layers: list[IntegerLayer]) -> None:
        self.network = network
        self.layers = layers
        self._convolutions = [_split_exactly(layer) for layer in layers]

    @property
    def bits(self) -> dict[str, int]:
        """Returns the weight bits by layer name, layers without weights left out."""
        return {x.layer.name: x.bits for x in self.layers if x.weight is not None}

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> Tensor:
        """Outputs of the last layer.

        Args:
            inputs: (N, C, H, W) integers from -128 to 127, any dtype.

        Returns:
            int32 (N, outputs): raw accumulators where the last layer is wide, else 8-bit values.
        """
        tensors = {INPUT: inputs.cpu().float()}
        for index, (entry, weights) in enumerate(zip(self.layers, self._convolutions, strict=True)):
            layer = entry.layer
            x = _operands([tensors[name] for name in layer.inputs])
            if layer.in_size is not None:
                x = x.flatten(2).unflatten(2, layer.in_size)
            x = _pool(layer, x)
            if weights is not None:
                x = _convolve(entry, weights, x)
            for name in set(layer.inputs):
                if self.network.last_use[name] == index:
                    del tensors[name]
            tensors[layer.name] = x
        return tensors[self.layers[-1].layer.name].flatten(1).to(torch.int32)

    @property
    def output_exponent(self) -> int:
        """An output times 2 to its power is in the unit of activations: 8-bit values are divided by 128, raw
        accumulators by the scale of their weights as well (docs/hardware.md, Integer arithmetic)."""
        last = self.layers[-1]
        return last.shift - 14 if last.layer.wide else -7

    def in_units(self, outputs: Tensor) -> Tensor:
        """Outputs of the network in the unit of its activations, as its torch module gives them.

        Args:
            outputs: int32 (N, outputs), as :meth:`__call__` gives them.

        Returns:
            float64 (N, outputs), exact.
        """
        return outputs.double() * 2.0**self.output_exponent

    def predict(self, inputs: Tensor, batch_size: int = 250) -> Tensor:
        """Returns int32 (N, outputs) of any number of inputs, computed in batches of ``batch_size``."""
        return torch.cat([self(batch) for batch in inputs.split(batch_size)])


def _operands(tensors: list[Tensor]) -> Tensor:
    """Returns the element-wise sum, saturated once after all operands (docs/hardware.md, Integer arithmetic)."""
    if len(tensors) == 1:
        return tensors[0]
    return torch.stack(tensors).sum(0).clamp_(ACTIVATION_MIN, ACTIVATION_MAX)


def _pool(layer: Layer, x: Tensor) -> Tensor:
    if layer.pool is Pool.max:
        return F.max_pool2d(x, layer.pool_size, layer.pool_stride)
    if layer.pool is Pool.avg:
        total = F.avg_pool2d(x, layer.pool_size, layer.pool_stride, divisor_override=1)
        return torch.trunc(total / prod(layer.pool_size))
    return x


def _convolve(entry: IntegerLayer, groups: list[Tensor], x: Tensor) -> Tensor:
    """Applies operation, bias, shift, saturation and activation; returns float32 integers (int32 where wide)."""
    layer = entry.layer
    x = TORCH_OPERATIONS[layer.op].image(layer, x)
    parts = x.split([weight.shape[1] for weight in groups], dim=1)
    accumulator = _exact_conv2d(parts[0], groups[0], layer)
    for part, weight in zip(parts[1:], groups[1:], strict=True):
        accumulator += _exact_conv2d(part, weight, layer)
    if entry.bias is not None:
        accumulator += BIAS_FACTOR * entry.bias.to(torch.int32)[:, None, None]
    if layer.wide:
        return accumulator
    y = round_shift(accumulator, entry.shift).float()
    if layer.activation is Activation.relu:
        y = y.clamp_(min=0)
    elif layer.activation is Activation.abs:
        y = y.abs_().clamp_(max=ACTIVATION_MAX)
    return y


def _exact_conv2d(x: Tensor, weight: Tensor, layer: Layer) -> Tensor:
    """Returns the int32 convolution of integers; the caller keeps partial sums below 2^24."""
    if x.is_cpu and platform.machine() in ("x86_64", "AMD64") and torch.backends.mkldnn.is_available():
        # oneDNN's direct convolution in IEEE float32: no Winograd, no bfloat16, so every partial sum is exact.
        with _ieee_float32():
            return F.conv2d(x, weight, padding=layer.padding, dilation=layer.dilation).to(torch.int32)
    exact = F.conv2d(x.double(), weight.double(), padding=layer.padding, dilation=layer.dilation)
    return exact.round().to(torch.int32)


@contextmanager
def _ieee_float32() -> Iterator[None]:
    settings = torch.backends.mkldnn.conv  # type: ignore[attr-defined]  # torch adds it when imported
    before = settings.fp32_precision
    settings.fp32_precision = "ieee"
    try:
        yield
    finally:
        settings.fp32_precision = before


def _split_exactly(entry: IntegerLayer) -> list[Tensor] | None:
    """The layer's kernels as float32 (out, in_group, k, k), split along inputs so that sums stay exact."""
    if entry.weight is None:
        return None
    weight = TORCH_OPERATIONS[entry.layer.op].kernels(entry.layer, entry.weight.float())
    reach = weight.abs().sum((2, 3)) * -ACTIVATION_MIN
    groups = []
    start = 0
    while start < weight.shape[1]:
        sums = reach[:, start:].cumsum(1).amax(0)
        count = max(1, int((sums <= EXACT_FLOAT32).sum()))
        # oneDNN wants memory-contiguous weights.
        groups.append(weight[:, start : start + count].contiguous())
        start += count
    return groups


def integer_layer(
    layer: Layer, weight: Tensor, bias: Tensor | None, bits: int, shift: int, quantile: float = 1.0
) -> IntegerLayer:
    """An :class:`IntegerLayer` of integer-valued tensors of any dtype.

    Raises:
        CheckpointError: a value does not fit its format.
    """
    if bits not in WEIGHT_BITS:
        raise CheckpointError(f"layer {layer.name}: {bits}-bit weights; the chip has 1, 2, 4 and 8 bits")
    if not -MAX_SHIFT <= shift <= MAX_SHIFT:
        raise CheckpointError(f"layer {layer.name}: output shift {shift} is outside of -15 to 15")
    integers = _to_int8(layer, "weights", weight, bits)
    biases = None if bias is None else _to_int8(layer, "biases", bias, BIAS_BITS)
    return IntegerLayer(layer, integers, biases, bits, shift, quantile)


def _to_int8(layer: Layer, what: str, values: Tensor, bits: int) -> Tensor:
    half = 2 ** (bits - 1)
    if not bool((values == values.floor()).all()):
        raise CheckpointError(f"layer {layer.name}: its {what} are not integers; quantize the network first")
    if values.min().item() < -half or values.max().item() >= half:
        raise CheckpointError(f"layer {layer.name}: {what} outside of {bits} bits, {-half} to {half - 1}")
    return values.cpu().to(torch.int8)
