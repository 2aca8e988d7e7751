"""The chip's number formats: one function for each, used by training, quantizer and integer network.

Activations are signed 8-bit; training sees them divided by 128. Weights of ``b`` bits and biases share one
power-of-two scale per layer: ``integer = floor(2^(b-1) * 2^s * value + 1/2)`` with the weight exponent ``s``.
The accumulator then holds ``sum(x * w) + 128 * bias`` and is shifted by ``8 - b - s`` before rounding
(docs/hardware.md, Weights and scales and 3.2).
"""

import torch
from torch import Tensor

ACTIVATION_MIN, ACTIVATION_MAX = -128, 127
ACTIVATION_SCALE = 128
"""Activations are integers / 128 in the floating-point domain."""

WEIGHT_BITS = (1, 2, 4, 8)
BIAS_BITS = 8
BIAS_FACTOR = 128
"""A bias of 1 adds this much to the accumulator, so that it has the unit of an activation times a weight."""

MAX_SHIFT = 15
"""The output shift register holds -15 to 15."""


def weight_exponent(
    weight: Tensor, bias: Tensor | None, bits: int, bias_bits: int = BIAS_BITS, quantile: float = 1.0
) -> int:
    """Returns the exponent ``s`` of a layer's power-of-two scale: the largest that keeps weights and biases in range.

    Args:
        weight: floating-point weights, any shape.
        bias: floating-point biases or None.
        bits: bits of a weight; 1, 2, 4 or 8.
        bias_bits: bits of a bias; its range is 2^(bias_bits - bits) times that of a weight.
        quantile: share of the magnitudes that must stay in range; what is above saturates.

    Returns:
        ``floor(log2(1 / q))`` of the quantile ``q``, limited so that the output shift is within its register.
        Computed in float32 whatever the dtype, so that training, quantizer and export agree bit for bit.

    Raises:
        FloatingPointError: a weight or bias is infinite or not a number.
    """
    values = _magnitudes(weight, bias, bits, bias_bits)
    reach = values.max() if quantile == 1 else torch.quantile(values, quantile)
    if not bool(reach.isfinite()):
        raise FloatingPointError("weights are not finite")
    exponent = (1 / reach).log2().floor()
    return int(exponent.clamp(8 - bits - MAX_SHIFT, 8 - bits + MAX_SHIFT))


def exponent_quantile(
    exponent: int, weight: Tensor, bias: Tensor | None, bits: int, bias_bits: int = BIAS_BITS
) -> float:
    """The quantile for which :func:`weight_exponent` gives this exponent: a scale found by other means, stored.

    Args:
        exponent: at least that of quantile 1; higher ones are finer and let the largest values saturate.

    Returns:
        0 to 1, a float32, which is what checkpoints keep. Where none gives the exponent, because one value is far
        from all others, that of the next coarser exponent that there is.
    """
    values = _magnitudes(weight, bias, bits, bias_bits).cpu().sort().values.double()
    if values[-1] <= 2.0**-exponent:
        return 1.0
    # The middle of the octave of reaches that have this exponent; quantiles interpolate between values.
    reach = 2.0 ** (-exponent - 0.5)
    above = int(torch.searchsorted(values, torch.tensor(reach, dtype=values.dtype)))
    if above == 0:
        return 0.0
    low, high = float(values[above - 1]), float(values[above])
    quantile = torch.tensor((above - 1 + (reach - low) / (high - low)) / (len(values) - 1), dtype=torch.float32)
    # Between the largest of many values float32 has few ranks: from one below, the first that is not too fine.
    quantile = quantile.nextafter(torch.tensor(0.0))
    while weight_exponent(weight, bias, bits, bias_bits, float(quantile)) > exponent:
        quantile = quantile.nextafter(torch.tensor(1.0))
    return float(quantile)


def _magnitudes(weight: Tensor, bias: Tensor | None, bits: int, bias_bits: int) -> Tensor:
    """Returns what a scale must keep in range: magnitudes of weights, and of biases by what they take of it."""
    values = weight.detach().float().abs().flatten()
    if bias is None:
        return values
    return torch.cat((values, bias.detach().float().abs() * 2.0 ** (bits - bias_bits)))


def quantize_weight(values: Tensor, bits: int, exponent: int, stored_bits: int | None = None) -> Tensor:
    """Integers (as float32) that the chip holds for floating-point weights, or biases, of a layer.

    Args:
        values: weights or biases, any shape.
        bits: bits of the layer's weights, which set the scale.
        exponent: from :func:`weight_exponent`.
        stored_bits: bits in which the integers are kept; those of the weights by default.
    """
    half = 2 ** ((stored_bits or bits) - 1)
    scaled = values.float() * 2.0 ** (bits - 1 + exponent)
    return (scaled + 0.5).floor().clamp(-half, half - 1)


def output_shift(bits: int, exponent: int) -> int:
    """Returns the left shift of the accumulator (in units of 2^-7) that undoes the scale of the weights."""
    return 8 - bits - exponent


def round_shift(accumulator: Tensor, shift: int) -> Tensor:
    """Returns ``floor(1/2 + accumulator * 2^shift / 128)`` of integers, saturated to 8 bits (docs/hardware.md,
    Integer arithmetic)."""
    right = 7 - shift
    if right > 0:
        accumulator = (accumulator + (1 << (right - 1))) >> right
    elif right < 0:
        # Saturating first keeps the left shift within the integer type.
        accumulator = accumulator.clamp(ACTIVATION_MIN, ACTIVATION_MAX + 1) << -right
    return accumulator.clamp(ACTIVATION_MIN, ACTIVATION_MAX)
