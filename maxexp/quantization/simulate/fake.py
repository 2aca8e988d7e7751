"""The chip's numbers simulated in floating point, with gradients that pass straight through.

In float64 and evaluation mode the results equal those of the integer network in every bit; in float32 and
bfloat16 they may differ where partial sums are rounded.
"""

import copy
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from maxexp.chip.numbers.arithmetic import (
    ACTIVATION_MAX,
    ACTIVATION_MIN,
    ACTIVATION_SCALE,
    BIAS_BITS,
    quantize_weight,
    weight_exponent,
)
from maxexp.network.config import Activation
from maxexp.network.module import LayerModule, NetworkModule, Numerics, activate
from maxexp.network.sizes import Size

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

    def accumulated(self, layer: LayerModule, x: Tensor) -> Tensor:
        """Returns what the layer computes with weights and biases on the grid, before its output is rounded."""
        exponent = self.exponent(layer)
        weight = _QuantizedWeight.apply(layer.weight, self.bits, exponent, self.bits)
        bias = layer.bias
        if bias is not None:
            bias = _QuantizedWeight.apply(bias, self.bits, exponent, self.bias_bits)
        return layer.compute(x, weight, bias)

    def operation(self, layer: LayerModule, x: Tensor) -> Tensor:
        y = self.accumulated(layer, x)
        # The chip leaves the scale of the weights in its 32-bit outputs; here it is taken out, as from all
        # others, so that the loss keeps its temperature when quantization starts. No arg-max changes.
        return y if layer.spec.wide else _QuantizedOutput.apply(y, layer.spec.activation)


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
    """Gives every layer quantized numerics, in place; ``bits`` by layer name."""
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
    """Gives every layer the same numerics, in place."""
    for layer in module.layers():
        layer.numerics = numerics


class _QuantizedWeight(torch.autograd.Function):
    """Weights (or biases) on the chip's grid, in their own scale; gradient stops where they saturate."""

    @staticmethod
    def forward(ctx, values: Tensor, bits: int, exponent: int, stored_bits: int) -> Tensor:
        # A power of two, so that nothing but the rounding changes a value.
        unit = 2.0 ** (1 - bits - exponent)
        limit = 2.0 ** (stored_bits - 1) * unit
        ctx.save_for_backward((values >= -limit) & (values <= limit))
        return (quantize_weight(values, bits, exponent, stored_bits) * unit).to(values.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (inside,) = ctx.saved_tensors
        return gradient * inside, None, None, None


class _QuantizedOutput(torch.autograd.Function):
    """Values rounded to the grid of activations, saturated, activated; gradient stops where they saturate.

    Each pass over a tensor counts: together they take as long as half of the convolutions.
    """

    @staticmethod
    def forward(ctx, x: Tensor, activation: Activation) -> Tensor:
        ctx.save_for_backward(x)
        ctx.activation = activation
        low = 0.0 if activation is Activation.relu else LOWEST
        if x.dtype is torch.bfloat16 and low == 0:
            # Between 1 and 2 the steps of bfloat16 are those of activations, and it rounds without bias.
            return x.clamp(0.0, HIGHEST).add_(1.0).sub_(1.0)
        y = x * ACTIVATION_SCALE
        # bfloat16 puts large values on halves, which rounding up would shift by a quarter on average.
        y = y.round_() if y.dtype is torch.bfloat16 else y.add_(0.5).floor_()
        y.clamp_(low * ACTIVATION_SCALE, ACTIVATION_MAX)
        if activation is Activation.abs:
            # Rounding and saturation come first, as in the synthesizer's known answers (docs/hardware.md, Integer
            # arithmetic).
            y.abs_().clamp_(max=ACTIVATION_MAX)
        return y.div_(ACTIVATION_SCALE)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        half = 0.5 / ACTIVATION_SCALE  # what rounds to the first or last code is still inside
        # -128.5 is rounded up into the range, and hardtanh would count it out.
        low = 0.0 if ctx.activation is Activation.relu else LOWEST - half - 2.0**-20
        gradient = torch.ops.aten.hardtanh_backward(gradient, x, low, HIGHEST + half)
        if ctx.activation is Activation.abs:
            gradient = torch.where(x < -half, -gradient, gradient)
        return gradient, None


class _TruncatedAverage(torch.autograd.Function):
    """Average pooling that truncates toward zero on the grid of activations (docs/hardware.md, Integer
    arithmetic)."""

    @staticmethod
    def forward(ctx, x: Tensor, size: Size, stride: Size) -> Tensor:
        ctx.save_for_backward(x)
        ctx.window = (size, stride)
        # The sum of integers is exact; dividing last keeps exact multiples exact. bfloat16 cannot hold it.
        total = F.avg_pool2d(x.float() if x.dtype is torch.bfloat16 else x, size, stride, divisor_override=1)
        return (torch.trunc(total * ACTIVATION_SCALE / prod(size)) / ACTIVATION_SCALE).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            F.avg_pool2d(leaf, *ctx.window).backward(gradient)
        return leaf.grad, None, None
