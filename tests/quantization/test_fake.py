"""Simulated quantization: equal to the integers in every bit, and with the gradients it promises."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.dataset import load_split
from maxexp.network.module import NetworkModule
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.simulate.fake import (
    SaturatedNumerics,
    quantize_module,
    quantized_numerics,
    without_rounding,
)

MIXED = {
    "a": {"out_channels": 8, "kernel_size": 3, "activation": "abs"},
    "b": {"out_channels": 8, "kernel_size": 3, "activation": "none"},
    "c": {"out_channels": 8, "kernel_size": 1, "inputs": ["b", "a"], "eltwise": "add", "pool": "avg"},
    "d": {"op": "passthrough", "pool": "avg", "pool_size": 3, "pool_stride": 1},
    "e": {"out_channels": 6, "kernel_size": 3, "pool": "max", "activation": "abs", "bias": False},
    "f": {"op": "linear", "out_features": 5},
}


def units(module):
    """Value of 1 in the integer network's outputs: 2^(1 - bits - exponent) / 128 where they are raw accumulators."""
    last = module.layers()[-1]
    if not last.spec.wide:
        return 1 / 128
    numerics = quantized_numerics(last)
    return 2.0 ** (1 - numerics.bits - numerics.exponent(last)) / 128


def assert_equal_in_every_bit(module, images):
    """float64 simulation of ``images`` (integers), divided by the unit of its outputs, is the integer network."""
    module.double().eval()
    with torch.no_grad():
        simulated = torch.cat([module(batch.double() / 128) for batch in images.split(100)])
    integer = to_integer(module)
    integers = integer.predict(images)
    assert torch.equal(simulated / units(module), integers.double())
    assert torch.equal(integer.in_units(integers), simulated)
    return integers


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), quantile=st.sampled_from([1.0, 0.99]), bias_bits=st.sampled_from([8, 4]))
def test_simulation_is_the_integer_network(
    random_network, make_module, random_images, random_bits, seed, quantile, bias_bits
):
    network = random_network(seed)
    module = make_module(network, seed)
    quantize_module(module, random_bits(network, seed), quantile, bias_bits)
    assert_equal_in_every_bit(module, random_images(network, 12, seed))


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("activation", ["none", "relu", "abs"])
def test_simulation_is_the_integer_network_on_1000_images(make_network, make_module, random_images, wide, activation):
    layers = MIXED | {"f": {**MIXED["f"], "wide": wide, "activation": "none" if wide else activation}}
    network = make_network(layers, (3, 12, 12))
    module = make_module(network, 3)
    quantize_module(module, {"a": 8, "b": 4, "c": 2, "e": 1, "f": 8})
    integers = assert_equal_in_every_bit(module, random_images(network, 1000))
    assert len(integers.unique()) > 2


@pytest.mark.parametrize("bits", [{}, {"conv1_1": 4, "conv1_3": 2, "conv3_1": 1, "fc": 4}], ids=["8", "mixed"])
def test_simulation_of_1000_real_images_is_the_integer_network(bits, model, make_module, data_root):
    """The maker's architecture on images of the test set."""
    config = DatasetConfig(
        "cifar10", DatasetSource.cifar10, 3, 32, 32, 10, 5000, root=str(data_root / "cifar10"), download=False
    )
    images = load_split(config, "test").images[:1000].to(torch.int64) - 128
    network = model("nascifarnet")
    module = make_module(network, 1)
    for layer in module.layers():
        layer.bn = None
    quantize_module(module, bits)
    assert images.shape == (1000, 3, 32, 32)
    assert_equal_in_every_bit(module, images)


def test_still_equal_after_steps_of_an_optimizer(make_network, make_module, random_images):
    network = make_network(MIXED | {"f": {**MIXED["f"], "wide": True}}, (3, 12, 12))
    module = make_module(network, 4)
    quantize_module(module, {"b": 4, "c": 4, "e": 2})
    images = random_images(network, 64)
    labels = torch.arange(64) % 5
    optimizer = torch.optim.Adam(module.parameters(), 0.01)
    losses = []
    for _ in range(15):
        loss = F.cross_entropy(module.train()(images.float() / 128), labels)
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert_equal_in_every_bit(module, images)


@pytest.mark.parametrize("activation", ["none", "abs", "relu"])
def test_bfloat16_rounds_to_the_grid_without_bias(make_network, make_module, activation):
    """With the identity as operation, outputs are the inputs, rounded half to even and saturated."""
    layers = {"a": {"out_channels": 1, "kernel_size": 1, "activation": activation}}
    network = make_network(layers, (1, 64, 64))
    module = make_module(network, 0)
    quantize_module(module, {})
    layer = module.layers()[0]
    layer.compute = lambda x, weight, bias: x
    x = torch.linspace(-1.5, 1.5, 4096).reshape(1, 1, 64, 64).bfloat16()
    codes = (x.double() * 128).round().clamp(-128, 127)
    expected = {"none": codes, "relu": codes.clamp(min=0), "abs": codes.abs().clamp(max=127)}[activation]
    assert torch.equal(module(x).double() * 128, expected.flatten(1))


def straight_through(exact, smooth):
    """``exact`` forwards, the gradient of ``smooth`` backwards."""
    return smooth + (exact - smooth).detach()


def plain_quantized_layer(layer, x):
    """One quantized convolution in ordinary autograd; clamp stops the gradient outside of its range."""
    bits, bias_bits = layer.numerics.bits, layer.numerics.bias_bits
    scale = 2.0 ** layer.numerics.exponent(layer)
    half = 2.0 ** (bits - 1)

    def fake(values, stored):
        limit = 2.0 ** (stored - 1)
        scaled = values * half * scale
        integers = (scaled + 0.5).floor().clamp(-limit, limit - 1)
        return straight_through(integers, scaled.clamp(-limit, limit)) / half

    weight, bias = fake(layer.op.weight, bits), fake(layer.op.bias, bias_bits)
    y = F.conv2d(x, weight, bias, padding=layer.spec.padding) / scale * 128
    rounded = (y + 0.5).floor()
    # Rounding may carry a value over the edge of the range, and there the gradient still passes.
    low, high = (rounded >= -128), (rounded <= 127)
    positive = y > 0
    y = straight_through(rounded, y * (low & high))
    kind = layer.spec.activation.name
    if kind == "relu":
        return straight_through(rounded.clamp(0, 127), y * positive) / 128
    y = straight_through(rounded.clamp(-128, 127), y)
    if kind == "abs":
        y = torch.where(y < 0, -y, y)
        return straight_through(y.clamp(max=127), y) / 128
    return y / 128


@pytest.mark.parametrize("activation", ["none", "abs", "relu"])
@pytest.mark.parametrize("quantile", [1.0, 0.9])
def test_gradients_are_those_of_a_plain_straight_through_estimator(make_network, make_module, activation, quantile):
    network = make_network({"a": {"out_channels": 6, "activation": activation}}, (4, 6, 6))
    module = make_module(network, 5).double()
    layer = module.layers()[0]
    layer.weight.data *= 2
    quantize_module(module, {"a": 4}, quantile)
    x = (torch.randint(-128, 128, (8, 4, 6, 6), generator=torch.Generator().manual_seed(2)) / 128).double()
    x.requires_grad_()
    upstream = torch.randn(8, 6 * 36, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    sources = (x, layer.op.weight, layer.op.bias)
    ours = torch.autograd.grad((module(x) * upstream).sum(), sources)
    plain = torch.autograd.grad((plain_quantized_layer(layer, x).flatten(1) * upstream).sum(), sources)
    for mine, theirs in zip(ours, plain, strict=True):
        assert mine.abs().sum() > 0
        assert torch.allclose(mine, theirs, atol=1e-9)


def test_no_gradient_where_values_saturate(make_network):
    """By hand, one weight: acc = 2 x, 8-bit output; x = 0.25 passes, 0.75 saturates, -0.25 is cut by ReLU."""
    layer = {"out_channels": 1, "kernel_size": 1, "bias": False, "activation": "relu"}
    network = make_network({"a": layer}, (1, 1, 3))
    module = NetworkModule(network)
    module.layers()[0].weight.data.fill_(1.5)
    quantize_module(module, {})
    x = torch.tensor([[[[0.25, 0.75, -0.25]]]], requires_grad=True)
    module(x).sum().backward()
    assert x.grad.flatten().tolist() == [1.5, 0, 0]
    assert module.layers()[0].weight.grad.item() == 0.25


def test_weights_beyond_the_quantile_get_no_gradient(make_network):
    network = make_network({"a": {"op": "linear", "out_features": 1, "wide": True, "bias": False}}, (100, 1, 1))
    module = NetworkModule(network)
    weight = module.layers()[0].weight
    weight.data.fill_(0.1)
    weight.data[0, 7] = 1.0
    quantize_module(module, {}, quantile=0.95)
    module(torch.ones(1, 100, 1, 1)).sum().backward()
    assert weight.grad[0, 7] == 0
    assert (weight.grad[0, :7] == 1).all()


def test_gradient_of_average_pooling_is_that_of_plain_pooling(make_network, make_module):
    network = make_network({"a": {"out_channels": 1}, "b": {"op": "passthrough", "pool": "avg", "pool_size": 3}})
    module = make_module(network)
    quantize_module(module, {})
    layer = module.layers()[1]
    x = torch.randint(-128, 128, (2, 1, 9, 9)).float().div(128).requires_grad_()
    upstream = torch.randn(2, 1, 3, 3)
    (ours,) = torch.autograd.grad(layer(x), x, upstream)
    (plain,) = torch.autograd.grad(F.avg_pool2d(x, 3), x, upstream)
    assert torch.allclose(ours, plain)


def test_without_rounding_is_close_to_quantized_and_differs(make_network, make_module, random_images):
    """8 bits: rounding moves outputs by little; the ranges, which both have, are what decides them."""
    network = make_network(
        {"a": {"out_channels": 8}, "b": {"op": "linear", "out_features": 4, "wide": True}}, (3, 6, 6)
    )
    module = make_module(network, 6).double()
    module.layers()[0].weight.data *= 4
    quantize_module(module, {})
    smooth = without_rounding(module)
    x = random_images(network, 50).double() / 128
    quantized, unrounded = module(x), smooth(x)
    assert not torch.equal(quantized, unrounded)
    assert (quantized - unrounded).abs().max() < 0.1 * quantized.abs().max()
    assert all(isinstance(layer.numerics, SaturatedNumerics) for layer in smooth.layers())
    assert not any(isinstance(layer.numerics, SaturatedNumerics) for layer in module.layers())
