"""The integer network against loops over int64 that know nothing of torch."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.base.errors import CheckpointError
from maxexp.chip.numbers.integer import IntegerLayer, IntegerNetwork, integer_layer


def pool(x, kind, size, stride):
    """Maximum, or sum divided and truncated toward zero, of every window of (C, H, W)."""
    (high, wide), (down, right) = size, stride
    rows, cols = (x.shape[1] - high) // down + 1, (x.shape[2] - wide) // right + 1
    out = np.empty((x.shape[0], rows, cols), dtype=np.int64)
    for i in range(rows):
        for j in range(cols):
            window = x[:, i * down : i * down + high, j * right : j * right + wide]
            total = window.sum((1, 2))
            average = np.sign(total) * (np.abs(total) // (high * wide))
            out[:, i, j] = window.max((1, 2)) if kind == "max" else average
    return out


def convolve(x, weight, padding, dilation):
    (top, left), (down, right) = padding, dilation
    x = np.pad(x, ((0, 0), (top, top), (left, left)))
    out_channels, _, high, wide = weight.shape
    rows, cols = down * (high - 1) + 1, right * (wide - 1) + 1
    out = np.empty((out_channels, x.shape[1] - rows + 1, x.shape[2] - cols + 1), dtype=np.int64)
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            out[:, i, j] = np.einsum("cij,ocij->o", x[:, i : i + rows : down, j : j + cols : right], weight)
    return out


def reference(integer, image):
    """Outputs of all layers for one (C, H, W) image, in int64."""
    tensors = {"input": image.astype(np.int64)}
    for entry in integer.layers:
        layer = entry.layer
        x = sum(tensors[name] for name in layer.inputs)
        if layer.operands > 1:
            x = np.clip(x, -128, 127)
        x = x.reshape(layer.in_shape)
        if layer.pool:
            x = pool(x, layer.pool.name, layer.pool_size, layer.pool_stride)
        if entry.weight is not None:
            weight = entry.weight.numpy().astype(np.int64)
            if layer.op == "linear":
                x, weight = x.reshape(-1, 1, 1), weight[:, :, None, None]
            if layer.op == "conv1d":
                weight = weight[..., None]
            x = convolve(x, weight, layer.padding, layer.dilation)
            if entry.bias is not None:
                x = x + 128 * entry.bias.numpy().astype(np.int64)[:, None, None]
            if not layer.wide:
                x = np.clip(np.floor(0.5 + x * 2.0**entry.shift / 128).astype(np.int64), -128, 127)
                x = {"relu": lambda v: v.clip(0), "abs": lambda v: abs(v).clip(0, 127), "none": lambda v: v}[
                    layer.activation.name
                ](x)
        tensors[layer.name] = x
    return tensors


def random_integers(network, seed, shifts=range(-15, 16)):
    """Weights of 1 to 8 bits, extremes included, biases and shifts for every layer."""
    draw, generator = random.Random(seed), np.random.default_rng(seed)
    layers = []
    for layer in network:
        if not layer.has_weights:
            layers.append(IntegerLayer(layer))
            continue
        bits = draw.choice([1, 2, 4, 8])
        half = 2 ** (bits - 1)
        weight = torch.from_numpy(generator.integers(-half, half, layer.weight_shape))
        bias = torch.from_numpy(generator.integers(-128, 128, layer.biases)) if layer.bias else None
        # Mostly shifts that leave values between 0 and saturation.
        usual = 4 - int(np.log2(half)) - int(np.log2(max(2, np.prod(layer.weight_shape[1:]))) / 2)
        shift = draw.choice(shifts) if draw.random() < 0.3 else max(-15, min(15, usual))
        layers.append(integer_layer(layer, weight, bias, bits, shift))
    return IntegerNetwork(network, layers)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_output_is_that_of_plain_loops(random_network, seed):
    network = random_network(seed)
    integer = random_integers(network, seed)
    images = np.random.default_rng(seed).integers(-128, 128, (3, *network.in_shape))
    expected = [reference(integer, image)[network.layers[-1].name].ravel() for image in images]
    assert torch.equal(integer(torch.from_numpy(images)).long(), torch.from_numpy(np.stack(expected)))


@pytest.mark.parametrize("shift", range(-15, 16))
def test_every_shift(make_network, shift):
    network = make_network({"a": {"out_channels": 3, "activation": "none"}}, (2, 4, 4))
    integer = random_integers(network, shift + 15, [shift])
    (entry,) = integer.layers
    integer = IntegerNetwork(network, [integer_layer(entry.layer, entry.weight, entry.bias, entry.bits, shift)])
    images = np.random.default_rng(0).integers(-128, 128, (2, 2, 4, 4))
    expected = np.stack([reference(integer, image)["a"].ravel() for image in images])
    assert np.array_equal(integer(torch.from_numpy(images)).numpy(), expected)


@pytest.mark.parametrize(("total", "average"), [(-3, 0), (-5, -1), (-4, -1), (3, 0), (7, 1), (-512, -128)])
def test_average_pooling_truncates_toward_zero(make_network, total, average):
    network = make_network(
        {"a": {"out_channels": 1, "kernel_size": 1, "pool": "avg", "activation": "none"}}, (1, 2, 2)
    )
    integer = IntegerNetwork(network, [integer_layer(network.layers[0], torch.ones(1, 1, 1, 1), None, 8, 7)])
    image = torch.tensor([total // 4] * 3 + [total - 3 * (total // 4)]).reshape(1, 1, 2, 2)
    assert integer(image).item() == average


def test_absolute_value_comes_after_rounding_and_saturation(make_network):
    """acc/128 = -0.5 rounds to 0 (1 if |x| came first); -128 becomes 127."""
    network = make_network({"a": {"out_channels": 1, "kernel_size": 1, "activation": "abs"}}, (1, 1, 3))
    integer = IntegerNetwork(network, [integer_layer(network.layers[0], torch.ones(1, 1, 1, 1), None, 8, 6)])
    assert integer(torch.tensor([-1, -3, 3]).reshape(1, 1, 1, 3)).tolist() == [[0, 1, 2]]
    strong = IntegerNetwork(network, [integer_layer(network.layers[0], torch.ones(1, 1, 1, 1), None, 8, 15)])
    assert strong(torch.tensor([-128, -1, 1]).reshape(1, 1, 1, 3)).tolist() == [[127, 127, 127]]


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("kernel", [1, 3])
def test_sums_beyond_the_mantissa_of_float32_are_exact(make_network, kernel, batch):
    """1,024 channels of extreme values reach 151 million; odd sums show every lost bit."""
    layers = {"a": {"out_channels": 4, "kernel_size": kernel, "wide": True}}
    network = make_network(layers, (1024, 3, 3))
    generator = torch.Generator().manual_seed(0)
    weight = torch.full(network.layers[0].weight_shape, -128)
    weight[1] = 127
    weight[2:] = torch.randint(-128, 128, weight[2:].shape, generator=generator)
    bias = torch.tensor([-128, 127, 3, -5])
    images = torch.full((batch, 1024, 3, 3), -128)
    images[0, ::7] = 127
    images[-1] = torch.randint(-128, 128, images[0].shape, generator=generator)
    integer = IntegerNetwork(network, [integer_layer(network.layers[0], weight, bias, 8, 0)])
    got = integer(images).numpy()
    for index in (0, batch - 1):
        assert np.array_equal(got[index], reference(integer, images[index].numpy())["a"].ravel())
    extreme = IntegerNetwork(
        network, [integer_layer(network.layers[0], weight[:1].expand(4, -1, -1, -1), None, 8, 0)]
    )
    assert extreme(torch.full((1, 1024, 3, 3), -128)).max() == 128 * 128 * 1024 * kernel**2


def test_result_does_not_depend_on_the_batch_or_dtype(random_network):
    network = random_network(7)
    integer = random_integers(network, 7)
    images = torch.randint(-128, 128, (23, *network.in_shape), generator=torch.Generator().manual_seed(1))
    whole = integer(images)
    assert torch.equal(integer.predict(images, 5), whole)
    assert torch.equal(integer(images.to(torch.int8)), whole)
    assert torch.equal(torch.cat([integer(image[None].double()) for image in images]), whole)


def test_result_does_not_depend_on_the_precision_that_others_asked_for(random_network):
    """bfloat16 or TF32 multiplications, which a trainer may switch on for the whole process, would not be exact."""
    network = random_network(11, max_channels=40)
    integer = random_integers(network, 11)
    images = torch.randint(-128, 128, (32, *network.in_shape), generator=torch.Generator().manual_seed(1))
    exact = integer(images)
    settings = torch.backends.mkldnn.conv
    before = settings.fp32_precision
    try:
        settings.fp32_precision = "bf16"
        assert torch.equal(integer(images), exact)
        assert settings.fp32_precision == "bf16"
    finally:
        settings.fp32_precision = before


@pytest.mark.parametrize(
    ("weight", "bias", "bits", "shift", "message"),
    [
        ([128.0], [0.0], 8, 0, "layer a: weights outside of 8 bits, -128 to 127"),
        ([-129.0], [0.0], 8, 0, "layer a: weights outside of 8 bits"),
        ([8.0], [0.0], 4, 0, "layer a: weights outside of 4 bits, -8 to 7"),
        ([1.0], [0.0], 1, 0, "layer a: weights outside of 1 bits, -1 to 0"),
        ([0.0], [128.0], 8, 0, "layer a: biases outside of 8 bits"),
        ([0.5], [0.0], 8, 0, "layer a: its weights are not integers; quantize the network first"),
        ([float("nan")], [0.0], 8, 0, "layer a: its weights are not integers"),
        ([0.0], [0.25], 8, 0, "layer a: its biases are not integers"),
        ([0.0], [0.0], 3, 0, "layer a: 3-bit weights; the chip has 1, 2, 4 and 8 bits"),
        ([0.0], [0.0], 8, 16, "layer a: output shift 16 is outside of -15 to 15"),
        ([0.0], [0.0], 8, -16, "layer a: output shift -16 is outside of -15 to 15"),
    ],
)
def test_values_that_the_chip_cannot_hold_are_refused(make_network, weight, bias, bits, shift, message):
    (layer,) = make_network({"a": {"out_channels": 1, "kernel_size": 1}}, (1, 1, 1))
    with pytest.raises(CheckpointError, match=message):
        integer_layer(layer, torch.tensor(weight).reshape(1, 1, 1, 1), torch.tensor(bias), bits, shift)
