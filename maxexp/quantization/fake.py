"""The chip's numbers simulated in floating point, with gradients that pass straight through.

In float64 and evaluation mode the results equal those of the integer network in every bit; in float32 and
bfloat16 they may differ where partial sums are rounded.
"""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from maxexp.device.arithmetic import (
    ACTIVATION_MAX,
    ACTIVATION_MIN,
    ACTIVATION_SCALE,
    BIAS_BITS,
    quantize_weight,
    weight_exponent,
)
from maxexp.network.config import Activation
from maxexp.network.module import LayerModule, NetworkModule, Numerics, activate

LOWEST, HIGHEST = ACTIVATION_MIN / ACTIVATION_SCALE, ACTIVATION_MAX / ACTIVATION_SCALE
MAKER_BATCHNORM_FACTOR = 0.25
"""ai8x-training divides the output of batch normalization by 4, to keep it within the clamp."""


class ClampedNumerics(Numerics):
    """Floating point with activations limited to the chip's range: the maker's floating-point phase."""

    def operands(self, tensors: list[Tensor]) -> Tensor:
        return super().operands(tensors).clamp(LOWEST, HIGHEST)

    def operation(self, layer: LayerModule, x: Tensor) -> Tensor:
        y = layer.compute(x, layer.weight, layer.bias)
        if layer.bn is not None:
            y = layer.normalize(y) * MAKER_BATCHNORM_FACTOR
        return y if layer.spec.wide else activate(y, layer.spec.activation).clamp(LOWEST, HIGHEST)


@dataclass
class QuantizedNumerics(Numerics):
    """One layer's quantization; batch normalization must have been folded.

    Attributes:
        bits: bits of a weight.
        bias_bits: bits of a bias.
        quantile: share of magnitudes that the scale keeps in range.
    """

    bits: int = 8
    bias_bits: int = BIAS_BITS
    quantile: float = 1.0

    def operands(self, tensors: list[Tensor]) -> Tensor:
        return super().operands(tensors).clamp(LOWEST, HIGHEST)

    def pooled(self, layer: LayerModule, x: Tensor) -> Tensor:
        return _TruncatedAverage.apply(x, layer.spec.pool_size, layer.spec.pool_stride)

    def exponent(self, layer: LayerModule) -> int:
        """The layer's weight exponent."""
        return weight_exponent(layer.weight, layer.bias, self.bits, self.bias_bits, self.quantile)

    def operation(self, layer: LayerModule, x: Tensor) -> Tensor:
        exponent = self.exponent(layer)
        weight = _QuantizedWeight.apply(layer.weight, self.bits, exponent, self.bits)
        bias = layer.bias
        if bias is not None:
            bias = _QuantizedWeight.apply(bias, self.bits, exponent, self.bias_bits)
        accumulator = layer.compute(x, weight, bias)
        if layer.spec.wide:
            # The chip leaves the scale of the weights in its 32-bit outputs. Removing it here keeps the
            # temperature of the loss when quantization starts, and changes no arg-max.
            return accumulator * 2.0**-exponent
        return _QuantizedOutput.apply(accumulator, exponent, layer.spec.activation)


class SaturatedNumerics(QuantizedNumerics):
    """The ranges of a quantized layer without its rounding: what the network computes in floating point.

    A quantization-aware network is trained with these limits; without them it would be another function.
    """

    def pooled(self, layer: LayerModule, x: Tensor) -> Tensor:
        return Numerics.pooled(self, layer, x)

    def operation(self, layer: LayerModule, x: Tensor) -> Tensor:
        unit = 2.0 ** (1 - self.bits - self.exponent(layer))
        weight, bias = layer.weight, layer.bias
        half = 2 ** (self.bits - 1)
        weight = weight.clamp(-half * unit, (half - 1) * unit)
        if bias is not None:
            half = 2 ** (self.bias_bits - 1)
            bias = bias.clamp(-half * unit, (half - 1) * unit)
        y = layer.compute(x, weight, bias)
        return y if layer.spec.wide else activate(y, layer.spec.activation).clamp(LOWEST, HIGHEST)


def quantize_module(
    module: NetworkModule, bits: dict[str, int], quantile: float = 1.0, bias_bits: int = BIAS_BITS
) -> None:
    """Give every layer quantized numerics, in place; ``bits`` by layer name."""
    for layer in module.layers():
        name = layer.spec.name
        layer.numerics = QuantizedNumerics(bits.get(name, 8), bias_bits, quantile)


def quantized_numerics(layer: LayerModule) -> QuantizedNumerics:
    """The numerics of a layer of a quantized module."""
    assert isinstance(layer.numerics, QuantizedNumerics), f"{layer.spec.name} is not quantized"
    return layer.numerics


def without_rounding(module: NetworkModule) -> NetworkModule:
    """A copy of a quantized module that keeps its ranges and rounds nothing."""
    smooth = copy.deepcopy(module)
    for layer in smooth.layers():
        old = quantized_numerics(layer)
        layer.numerics = SaturatedNumerics(old.bits, old.bias_bits, old.quantile)
    return smooth


def set_numerics(module: NetworkModule, numerics: Numerics) -> None:
    """Give every layer the same numerics, in place."""
    for layer in module.layers():
        layer.numerics = numerics


class _QuantizedWeight(torch.autograd.Function):
    """Weights (or biases) on the chip's grid, scaled by 2^exponent; gradient stops where they saturate."""

    @staticmethod
    def forward(ctx, values: Tensor, bits: int, exponent: int, stored_bits: int) -> Tensor:
        integers = quantize_weight(values, bits, exponent, stored_bits)
        half = 2.0 ** (bits - 1)
        limit = 2.0 ** (stored_bits - 1)
        scaled = values * (half * 2.0**exponent)
        ctx.save_for_backward((scaled >= -limit) & (scaled <= limit))
        ctx.exponent = exponent
        return (integers / half).to(values.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (inside,) = ctx.saved_tensors
        return gradient * inside * 2.0**ctx.exponent, None, None, None


class _QuantizedOutput(torch.autograd.Function):
    """Accumulator times 2^-exponent, rounded, saturated, activated; gradient stops where it saturates."""

    @staticmethod
    def forward(ctx, accumulator: Tensor, exponent: int, activation: Activation) -> Tensor:
        y = accumulator * (ACTIVATION_SCALE * 2.0**-exponent)
        # bfloat16 puts large accumulators on halves, which rounding up would shift by a quarter on average.
        y = y.round_() if y.dtype is torch.bfloat16 else (y + 0.5).floor_()
        relu = activation is Activation.relu
        low = 0 if relu else ACTIVATION_MIN
        above = accumulator > 0 if relu else y >= ACTIVATION_MIN
        ctx.save_for_backward(above & (y <= ACTIVATION_MAX))
        y.clamp_(low, ACTIVATION_MAX)
        ctx.exponent = exponent
        ctx.negative = None
        if activation is Activation.abs:
            # Rounding and saturation come first, as in the synthesizer's known answers (hardware.md 2.3).
            ctx.negative = y < 0
            y.abs_().clamp_(max=ACTIVATION_MAX)
        return y.div_(ACTIVATION_SCALE)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inside,) = ctx.saved_tensors
        if ctx.negative is not None:
            gradient = torch.where(ctx.negative, -gradient, gradient)
        return gradient * inside * 2.0**-ctx.exponent, None, None


class _TruncatedAverage(torch.autograd.Function):
    """Average pooling that truncates toward zero on the grid of activations (hardware.md 3.2)."""

    @staticmethod
    def forward(ctx, x: Tensor, size: int, stride: int) -> Tensor:
        ctx.save_for_backward(x)
        ctx.window = (size, stride)
        # The sum of integers is exact; dividing last keeps exact multiples exact. bfloat16 cannot hold it.
        total = F.avg_pool2d(x.float() if x.dtype is torch.bfloat16 else x, size, stride, divisor_override=1)
        return (torch.trunc(total * ACTIVATION_SCALE / size**2) / ACTIVATION_SCALE).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            F.avg_pool2d(leaf, *ctx.window).backward(gradient)
        return leaf.grad, None, None
