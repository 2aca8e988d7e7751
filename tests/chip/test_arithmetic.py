"""Number formats against docs/hardware.md, Weights and scales and 3.2, written again with exact rationals or
torch.quantile."""

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.chip.numbers.arithmetic import (
    MAX_SHIFT,
    exponent_quantile,
    output_shift,
    quantize_weight,
    round_shift,
    weight_exponent,
)


def test_round_shift_is_the_formula_for_all_accumulators_of_17_bits():
    accumulator = torch.arange(-(2**15), 2**15 + 1, dtype=torch.int32)
    for shift in range(-15, 16):
        exact = torch.floor(0.5 + accumulator.double() * 2.0**shift / 128).clamp(-128, 127)
        assert torch.equal(round_shift(accumulator, shift).double(), exact), shift


@given(accumulator=st.integers(-(2**31) + 2**22, 2**31 - 2**22), shift=st.integers(-15, 15))
def test_round_shift_of_any_accumulator(accumulator, shift):
    exact = math.floor(Fraction(1, 2) + accumulator * Fraction(2) ** shift / 128)
    result = round_shift(torch.tensor([accumulator], dtype=torch.int32), shift)
    assert result.item() == max(-128, min(127, exact))


def maker_exponent(weight, bias, bits, quantile):
    """docs/hardware.md, Weights and scales, ``quantize.py``: weights and biases together, torch's quantile."""
    values = torch.cat((weight.flatten(), bias.flatten())).abs()
    return int((1 / torch.quantile(values, quantile)).log2().floor().clamp(-7 - bits, 23 - bits))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("quantile", [1.0, 0.995, 0.9])
def test_exponent_is_that_of_the_makers_quantizer(bits, quantile):
    generator = torch.Generator().manual_seed(bits)
    for _ in range(50):
        scale = 2.0 ** float(torch.empty(()).uniform_(-8, 6, generator=generator))
        weight = torch.randn(7, 5, 3, 3, generator=generator) * scale
        bias = torch.randn(7, generator=generator) * scale
        # With as many bits as a weight has, biases count like weights.
        assert weight_exponent(weight, bias, bits, bits, quantile) == maker_exponent(weight, bias, bits, quantile)


@pytest.mark.parametrize(
    ("largest", "exponent"),
    [(1.0, 0), (0.5, 1), (0.25, 2), (2.0, -1), (0.51, 0), (0.999, 0), (1.001, -1), (0.2501, 1)],
)
def test_exponent_at_powers_of_two(largest, exponent):
    weight = torch.tensor([largest, -largest / 3, 0.0])
    assert weight_exponent(weight, None, 8) == exponent
    assert weight_exponent(-weight.double(), None, 8) == exponent


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_exponent_keeps_the_output_shift_in_its_register(bits):
    for size in (0.0, 1e-30, 1e-4, 1.0, 1e4, 1e30):
        exponent = weight_exponent(torch.full((3,), size), None, bits)
        assert -15 <= output_shift(bits, exponent) <= 15
    assert output_shift(bits, weight_exponent(torch.zeros(3), None, bits)) == -15


def test_a_bias_counts_by_its_own_range():
    """8-bit biases reach 16 times as far as 4-bit weights, so one of 8 leaves weights of 0.5 their scale."""
    weight, bias = torch.tensor([0.5]), torch.tensor([8.0])
    assert weight_exponent(weight, bias, 4, 8) == weight_exponent(weight, None, 4) == 1
    assert weight_exponent(weight, bias, 4, 4) == -3
    assert quantize_weight(bias, 4, 1, 8).item() == 127


@given(value=st.floats(-4, 4, width=32), bits=st.sampled_from([1, 2, 4, 8]), exponent=st.integers(-2, 6))
def test_quantize_weight_is_the_formula(value, bits, exponent):
    exact = math.floor(Fraction(value) * 2 ** (bits - 1) * Fraction(2) ** exponent + Fraction(1, 2))
    limited = max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, exact))
    result = quantize_weight(torch.tensor([value], dtype=torch.float32), bits, exponent).item()
    scaled = value * 2.0 ** (bits - 1 + exponent)
    # Just below a half, float32 rounds the sum up, in the maker's quantizer as in ours.
    if float(torch.tensor(scaled, dtype=torch.float32) + 0.5) == scaled + 0.5:
        assert result == limited
    else:
        assert abs(result - limited) <= 1


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), bits=st.sampled_from([8, 4, 2, 1]), finer=st.integers(0, 4))
def test_a_quantile_stores_any_exponent(seed, bits, finer):
    """Also after it went through a checkpoint, which keeps float32."""
    generator = torch.Generator().manual_seed(seed)
    scale = 2.0 ** float(torch.empty(()).uniform_(-6, 3, generator=generator))
    weight = torch.randn(500, generator=generator) * scale
    bias = torch.randn(20, generator=generator) * scale if seed % 2 else None
    exponent = min(weight_exponent(weight, bias, bits) + finer, 8 - bits + MAX_SHIFT)
    quantile = exponent_quantile(exponent, weight, bias, bits)
    stored = float(torch.tensor(quantile, dtype=torch.float32))
    assert 0 <= quantile <= 1 and (finer > 0 or quantile == 1)
    assert weight_exponent(weight, bias, bits, quantile=stored) == exponent


def test_a_quantile_never_stores_a_finer_exponent_than_asked_for():
    """float32 has about 30 ranks between the two largest of 442,369 values: some exponents lie between two ranks."""
    weight = 0.02 * torch.randn(442_368, generator=torch.Generator().manual_seed(0))
    bias = torch.tensor([8.0])
    ranks = 1 - torch.arange(64) * 2.0**-24  # the float32 numbers from 1 down
    possible = {weight_exponent(weight, bias, 8, quantile=float(rank)) for rank in ranks}
    assert {-3, 0, 1, 3} <= possible and 2 not in possible
    for exponent in range(-3, 4):
        stored = exponent_quantile(exponent, weight, bias, 8)
        nearest = max(one for one in possible if one <= exponent)
        assert weight_exponent(weight, bias, 8, quantile=stored) == nearest
