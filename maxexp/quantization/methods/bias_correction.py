"""Bias correction: the mean error that rounding leaves in each channel, taken out by the bias."""

import torch
from torch import Tensor

from maxexp.chip.numbers.arithmetic import exponent_quantile
from maxexp.network.module import LayerModule
from maxexp.quantization.simulate.fake import quantized_numerics

ROUNDS = 4
"""ReLU, saturation and the grid of the bias let only a part of each correction through."""


@torch.no_grad()
def correct_bias(layer: LayerModule, operands: list[Tensor], target: Tensor) -> None:
    """Corrects the bias of a quantized layer in place; its scale stays, or gets finer where the bias alone had set
    it.

    Args:
        operands: what the layer reads, quantized as far as the layers before are.
        target: (N, C, H, W) what it should give.
    """
    numerics, bias = quantized_numerics(layer), layer.bias
    assert bias is not None, f"{layer.spec.name} has no bias"
    exponent = numerics.exponent(layer)
    best, least = bias.clone(), torch.full_like(bias, torch.inf)
    for _ in range(ROUNDS):
        error = (layer(*operands) - target).mean((0, 2, 3))
        better = error.abs() < least
        best, least = torch.where(better, bias, best), torch.where(better, error.abs(), least)
        bias.sub_(error)
        numerics.quantile = exponent_quantile(exponent, layer.weight, bias, numerics.bits, numerics.bias_bits)
    bias.copy_(best)
    numerics.quantile = exponent_quantile(exponent, layer.weight, bias, numerics.bits, numerics.bias_bits)
