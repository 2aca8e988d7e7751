"""Calibration: the same function, in ranges that the chip has."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.network.graph import INPUT
from maxexp.quantization.methods.calibration import best_range, calibrate
from maxexp.quantization.simulate.fake import ClampedNumerics, quantize_module, set_numerics


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_function_stays_as_it_was(random_network, make_module, random_images, layout, seed):
    network = random_network(seed)
    # Training leaves its weights in channels_last.
    module = make_module(network, seed).double().to(memory_format=layout)
    x = random_images(network, 8, seed).double() / 128
    before = module(x).detach()
    factors = calibrate(module, x)
    # An 8-bit output is rescaled like any other tensor; a wide one keeps its scale.
    factor = factors[network.layers[-1].name]
    assert torch.allclose(module(x) * factor, before, rtol=1e-9, atol=1e-9 * float(before.abs().max()))
    assert factors[INPUT] == 1
    assert factor == 1 or not network.layers[-1].wide
    for group in network.tied_tensors:
        assert len({factors[name] for name in group}) == 1


RESIDUAL = {
    "a": {"out_channels": 16},
    "b": {"out_channels": 16},
    "c": {"out_channels": 16, "inputs": ["a", "b"], "eltwise": "add", "pool": "avg"},
    "d": {"out_channels": 16, "activation": "abs"},
    "e": {"op": "linear", "out_features": 10, "wide": True},
}


@pytest.mark.parametrize("size", [6.0, 1 / 6])
def test_quantization_survives_any_range_of_activations(make_network, make_module, random_images, size):
    """Each layer 6 times too strong, or too weak; clamp and rounding destroy what is not calibrated."""
    network = make_network(RESIDUAL, (3, 8, 8))
    x = random_images(network, 100).float() / 128
    agreement = {}
    for calibrated in (False, True):
        module = make_module(network, 8)
        scale = 1.0
        for layer in module.layers():
            scale *= size
            layer.weight.data *= size
            layer.bias.data *= scale
        expected = module(x)
        if calibrated:
            calibrate(module, x)
        quantize_module(module, {})
        # What images have in common says nothing; how they differ does.
        pairs = torch.stack([(y - y.mean(0)).detach().flatten() for y in (module(x), expected)])
        agreement[calibrated] = float(torch.nan_to_num(torch.corrcoef(pairs)[0, 1]))
    assert agreement[True] > 0.95
    assert agreement[False] < 0.8


def test_a_sum_that_was_trained_with_a_clamp_keeps_it(make_network, make_module, random_images):
    """What the operands add up to before the clamp is no range that anything later sees."""
    network = make_network(RESIDUAL, (3, 8, 8))
    module = make_module(network, 8)
    set_numerics(module, ClampedNumerics())
    x = random_images(network, 100).float() / 128
    assert module.get_submodule("c").spec.operands > 1
    factors = calibrate(module, x)
    assert max(factors.values()) <= 1


def test_calibrated_activations_use_the_range(make_network, make_module, random_images):
    network = make_network(RESIDUAL, (3, 8, 8))
    module = make_module(network, 9)
    for layer in module.layers():
        layer.weight.data *= 20
        layer.bias.data.zero_()
    x = random_images(network, 100)[1:-1].float() / 128
    calibrate(module, x)
    seen = {}
    for layer in module.layers()[:-1]:
        layer.register_forward_hook(lambda layer, _, y: seen.update({layer.spec.name: y.abs()}))
    module(x)
    for group in network.tied_tensors[1:-1]:
        # Operands of a sum share a range, so only the largest of them fills it.
        values = torch.stack([seen[name].detach().flatten() for name in group])
        assert 0.1 < values.quantile(0.99, 1).max() <= 1.1
        assert (values > 127 / 128).double().mean() < 0.02


def test_best_range_keeps_the_largest_value_of_a_flat_distribution():
    values = torch.linspace(-5, 5, 10001)
    assert best_range(values) == pytest.approx(5 * 128 / 127)


def test_best_range_gives_up_rare_outliers():
    values = torch.cat((torch.randn(100_000, generator=torch.Generator().manual_seed(0)), torch.tensor([60.0])))
    assert 3 < best_range(values) < 40
    assert best_range(torch.zeros(10)) == 1


def test_best_range_has_the_least_error_of_its_candidates():
    """Brute force over a finer grid finds nothing much better."""
    values = torch.randn(20_000, generator=torch.Generator().manual_seed(1)).double() ** 3

    def error(reach):
        codes = (values * 128 / reach + 0.5).floor().clamp(-128, 127)
        return float(((codes * reach / 128 - values) ** 2).mean())

    top = float(values.abs().max()) * 128 / 127
    finest = min(error(top * 2 ** (-i / 60)) for i in range(230))
    assert error(best_range(values)) <= 1.2 * finest
