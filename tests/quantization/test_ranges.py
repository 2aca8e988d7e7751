"""Histograms of weights and activations, and what clips."""

import pytest
import torch

from maxexp.chip.numbers.arithmetic import quantize_weight
from maxexp.network.module import NetworkModule
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.methods.layer_range import BINS
from maxexp.quantization.methods.ranges import layer_ranges
from maxexp.quantization.simulate.fake import quantize_module, quantized_numerics

LAYERS = {
    "conv": {"op": "conv2d", "out_channels": 6, "kernel_size": 3},
    "fc": {"op": "linear", "out_features": 4, "activation": "none", "wide": True},
}


@pytest.fixture
def module(make_network):
    torch.manual_seed(0)
    module = NetworkModule(make_network(LAYERS, (2, 6, 6)))
    with torch.no_grad():
        module.layers()[0].weight.mul_(3)  # large outputs, of which some saturate
    quantize_module(module, {"conv": 4, "fc": 8}, quantile=0.9)
    return module


@pytest.fixture
def inputs():
    return torch.randint(-128, 128, (20, 2, 6, 6), generator=torch.Generator().manual_seed(1)) / 128


def test_the_share_of_clipped_weights_is_that_of_codes_beyond_the_format(module, inputs):
    for layer, found in zip(module.layers(), layer_ranges(module, inputs), strict=True):
        numerics = quantized_numerics(layer)
        exponent = numerics.exponent(layer)
        wider = quantize_weight(layer.weight.detach(), numerics.bits, exponent, stored_bits=16)
        stored = quantize_weight(layer.weight.detach(), numerics.bits, exponent)
        assert found.weights.clipped == pytest.approx((wider != stored).double().mean().item())
        assert found.weights.clipped > 0
        assert sum(found.weights.counts) == layer.weight.numel()
        assert len(found.weights.counts) == BINS


def test_clipped_activations_are_among_the_largest_codes_of_the_chip(module, inputs):
    """The chip's own integers: what clips has the code 127, which some values reach by themselves."""
    conv, fc = layer_ranges(module, inputs)
    network = to_integer(module)
    outputs = []
    fc_layer = module.layers()[1]
    hook = fc_layer.register_forward_hook(lambda _, args, __: outputs.append(args[0]))
    with torch.no_grad():
        module.eval()(inputs)
    hook.remove()
    at_limit = (outputs[0] * 128 == 127).double().mean().item()
    assert 0 < conv.outputs.clipped <= at_limit
    assert fc.outputs is None, "32 bits wide"
    assert network.bits == {"conv": conv.bits, "fc": fc.bits}


def test_the_module_is_left_as_it_was(module, inputs):
    before = module.eval()(inputs)
    numerics = [layer.numerics for layer in module.layers()]
    layer_ranges(module, inputs)
    assert [layer.numerics for layer in module.layers()] == numerics
    assert torch.equal(module(inputs), before)
