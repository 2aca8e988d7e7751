"""The two scales of a layer, of its weights and of its output, chosen by the error of what it computes.

The grid of the weights is a power of two away from the ratio of the tensors' factors: ``W f_in / f_out`` is
rounded to multiples of ``2^(1 - bits - s)``. So the factor of the output sets where the grid of the weights may lie,
and both are searched together.
"""

import copy

import torch
from torch import Tensor

from maxexp.chip.numbers.arithmetic import BIAS_BITS, MAX_SHIFT, exponent_quantile, weight_exponent
from maxexp.network.module import LayerModule
from maxexp.quantization.simulate.fake import QuantizedNumerics, quantized_numerics

FACTORS = tuple(2.0 ** (step / 6) for step in range(-4, 5))
"""Factors tried on the range of the output."""


@torch.no_grad()
def search_scales(
    layer: LayerModule, operands: list[Tensor], target: Tensor, bits: int, movable: bool, centered: bool
) -> tuple[float, QuantizedNumerics]:
    """The factor and the numerics with the least squared error of the layer's output.

    Args:
        layer: in floating point; left as it is.
        operands: what the layer will read, quantized as far as the layers before are.
        target: (N, C, H, W) what it should give.
        bits: of its weights.
        movable: whether the output may be divided by a factor; else that is 1.
        centered: whether a correction of the bias will take out the mean error of each channel.

    Returns:
        The factor by which to divide the output tensor, and the numerics, whose quantile holds the exponent.
    """
    least = float("inf")
    best = (1.0, QuantizedNumerics(bits))
    for factor in FACTORS if movable else (1.0,):
        trial = copy.deepcopy(layer)
        for parameter in trial.parameters():
            parameter.div_(factor)
        previous = float("inf")
        for exponent in range(weight_exponent(trial.weight, trial.bias, bits), 8 - bits + MAX_SHIFT + 1):
            quantile = exponent_quantile(exponent, trial.weight, trial.bias, bits)
            trial.numerics = QuantizedNumerics(bits, BIAS_BITS, quantile)
            if trial.numerics.exponent(trial) != exponent:
                continue  # no quantile gives it
            difference = trial(*operands) * factor - target
            if centered:
                difference -= difference.mean((0, 2, 3), keepdim=True) * _correctable(trial, exponent)[:, None, None]
            error = float(difference.square().mean())
            if error < least:
                least, best = error, (factor, trial.numerics)
            if error >= previous:
                break  # finer grids clip ever more
            previous = error
    return best


def _correctable(layer: LayerModule, exponent: int) -> Tensor:
    """Returns 1 for each channel whose bias is within its range and so can take out a mean error, else 0."""
    assert layer.bias is not None
    limit = 2.0 ** (BIAS_BITS - quantized_numerics(layer).bits - exponent)
    return (layer.bias.abs() < limit).to(layer.bias)
