"""Post-training quantization: each step lowers the error that it is there for; the integers stay exact."""

import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.quantization.methods.bias_correction import correct_bias
from maxexp.quantization.methods.ptq import prepare, quantize_after_training, quantize_layers
from maxexp.quantization.methods.scale_search import FACTORS, search_scales
from maxexp.quantization.simulate.fake import QuantizedNumerics, quantized_numerics
from tests.quantization.test_fake import assert_equal_in_every_bit

STEPS = ("equalize", "search_scales", "correct_biases")


def config(bits: int = 8, **steps: bool) -> QuantizationConfig:
    return QuantizationConfig(Method.ptq, bits, **{**dict.fromkeys(STEPS, True), **steps})


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_integer_network_is_the_simulation(random_network, make_module, random_images, random_bits, seed):
    network = random_network(seed)
    module = make_module(network, seed)
    images = random_images(network, 12, seed)
    settings = replace(config(), layer_bits=random_bits(network, seed))
    quantize_after_training(module, images.float() / 128, settings)
    assert {x.spec.name: quantized_numerics(x).bits for x in module.layers() if x.op} == settings.layer_bits
    assert_equal_in_every_bit(module, images)


RESIDUAL = {
    "a": {"out_channels": 16, "batchnorm": "affine"},
    "b": {"out_channels": 16, "batchnorm": "affine"},
    "c": {"out_channels": 16, "inputs": ["a", "b"], "eltwise": "add", "pool": "avg", "batchnorm": "affine"},
    "d": {"out_channels": 16, "activation": "abs"},
    "e": {"op": "linear", "out_features": 10, "wide": True},
}


def output_error(make_network, make_module, random_images, bits, **steps):
    """Squared error of the outputs of images that were not calibrated on, as a share of their variance."""
    network = make_network(RESIDUAL, (3, 8, 8))
    module = make_module(network, 8)
    images = random_images(network, 300).float() / 128
    expected = module(images[200:])
    quantize_after_training(module, images[:200], config(bits, **steps))
    return float((module(images[200:]) - expected).square().mean() / expected.var(0).mean())


@pytest.mark.parametrize("bits", [4, 2])
def test_all_steps_together_beat_calibration_alone(make_network, make_module, random_images, bits):
    plain = output_error(make_network, make_module, random_images, bits, **dict.fromkeys(STEPS, False))
    best = output_error(make_network, make_module, random_images, bits)
    assert best < 0.8 * plain


def one_layer(make_network, make_module, bits, **entry):
    network = make_network({"a": {"out_channels": 8, **entry}, "b": {"op": "linear", "out_features": 2}}, (3, 8, 8))
    module = make_module(network, 4)
    layer = module.layers()[0]
    layer.numerics = QuantizedNumerics(bits)
    return layer, torch.randint(-128, 128, (32, 3, 8, 8), generator=torch.Generator().manual_seed(1)) / 128


@pytest.mark.parametrize("bits", [8, 4, 2, 1])
def test_the_search_finds_the_best_of_all_its_candidates(make_network, make_module, bits):
    """Brute force over factors and quantiles, with rounding in plain arithmetic."""
    layer, x = one_layer(make_network, make_module, bits, bias=False)
    layer.weight.data /= 8
    target = torch.nn.functional.conv2d(x, layer.weight, padding=1).relu().detach()
    factor, numerics = search_scales(layer, [x], target, bits, movable=True, centered=False)

    def error(factor, exponent):
        unit = 2.0 ** (1 - bits - exponent)
        half = 2 ** (bits - 1)
        weight = (layer.weight / factor / unit + 0.5).floor().clamp(-half, half - 1) * unit
        y = torch.nn.functional.conv2d(x, weight, padding=1)
        return float(((y * 128 + 0.5).floor().clamp(0, 127) / 128 * factor - target).square().mean())

    layer.weight.data /= factor
    found = numerics.exponent(layer)
    layer.weight.data *= factor
    least = min(error(f, s) for f in FACTORS for s in range(-4, 12))
    assert error(factor, found) == pytest.approx(least, rel=1e-4)


@pytest.mark.parametrize("bits", [8, 4])
def test_a_tensor_that_may_not_move_keeps_its_factor(make_network, make_module, bits):
    layer, x = one_layer(make_network, make_module, bits)
    before = layer.weight.clone()
    target = layer(x)
    assert search_scales(layer, [x], target, bits, movable=False, centered=True)[0] == 1
    assert torch.equal(layer.weight, before)


@pytest.mark.parametrize("activation", ["relu", "none"])
def test_corrected_biases_take_the_mean_error_out(make_network, make_module, activation):
    layer, x = one_layer(make_network, make_module, 4, activation=activation)
    layer.weight.data /= 8
    layer.bias.data /= 8
    exact = copy.deepcopy(layer)
    target = torch.nn.functional.conv2d(x, exact.weight, exact.bias, padding=1).detach()
    target = target.relu() if activation == "relu" else target
    target = target + 0.05 * torch.linspace(-1, 1, 8)[:, None, None]
    exponent = layer.numerics.exponent(layer)
    before = (layer(x) - target).mean((0, 2, 3)).abs()
    correct_bias(layer, [x], target)
    after = (layer(x) - target).mean((0, 2, 3)).abs()
    assert (after <= before + 1e-6).all()
    assert after.mean() < 0.5 * before.mean()
    assert layer.numerics.exponent(layer) == exponent


def test_layers_that_are_not_named_stay_in_floating_point(make_network, make_module, random_images):
    """The second operand of a sum for itself: the scale of the first, written before, must not move."""
    network = make_network(RESIDUAL, (3, 8, 8))
    module = make_module(network, 6).double()
    x = random_images(network, 40).double() / 128
    expected = module(x).detach()
    prepare(module, x, config())
    assert torch.allclose(module(x), expected, rtol=1e-9, atol=1e-9)
    errors = quantize_layers(copy.deepcopy(module), module, x, {"b": 8}, config())
    quantized = [layer.spec.name for layer in module.layers() if isinstance(layer.numerics, QuantizedNumerics)]
    assert quantized == list(errors) == ["b"]
    assert 0 < errors["b"] < 1e-3
    assert (module(x) - expected).square().mean() < 1e-3 * expected.var(0).mean()


def test_biases_make_up_for_what_layers_without_weights_cut_off(make_network, make_module, random_images):
    """Averages are truncated on the chip, all in one direction."""
    layers = {
        "a": {"op": "conv2d", "out_channels": 16, "kernel_size": 3},
        "average": {"op": "passthrough", "inputs": ["a"], "pool": "avg"},
        "b": {"op": "conv2d", "out_channels": 8, "kernel_size": 1, "activation": "none", "wide": True},
    }
    network = make_network(layers, (3, 8, 8))
    module = make_module(network, 2)
    x = random_images(network, 200).float() / 128
    exact = module(x).detach().view(200, 8, -1)
    shift = {}
    for correct in (True, False):
        quantized = copy.deepcopy(module)
        quantize_after_training(quantized, x, config(correct_biases=correct))
        error = quantized(x).detach().view(200, 8, -1) - exact
        shift[correct] = error.mean((0, 2)).abs().mean()
    assert shift[True] < 0.45 * shift[False]


def test_every_step_can_be_switched_off(make_network, make_module, random_images):
    """Without any, it is calibration and the scale of ``shift_quantile``."""
    network = make_network(RESIDUAL, (3, 8, 8))
    x = random_images(network, 40).float() / 128
    module = make_module(network, 6)
    settings = replace(config(4, **dict.fromkeys(STEPS, False)), shift_quantile=0.98)
    quantize_after_training(module, x, settings)
    assert {quantized_numerics(layer).quantile for layer in module.layers()} == {0.98}
