"""Networks of signals: shapes, counts, what they compute, and what is refused of them."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.base.errors import NetworkError
from maxexp.network.module import NetworkModule

CONV = {"op": "conv1d", "out_channels": 4}


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(1, 40),
    kernel=st.integers(1, 9),
    padding=st.integers(0, 8),
    dilation=st.integers(1, 6),
    pool=st.integers(1, 4),
    stride=st.integers(1, 4),
    seed=st.integers(0, 100),
)
def test_a_layer_is_torchs_pooling_and_convolution(
    make_network, length, kernel, padding, dilation, pool, stride, seed
):
    pooled = (length - pool) // stride + 1
    if length < pool or pooled + 2 * padding < dilation * (kernel - 1) + 1:
        return
    entry = {**CONV, "kernel_size": kernel, "padding": padding, "dilation": dilation, "activation": "none"}
    entry |= {"pool": "max", "pool_size": pool, "pool_stride": stride}
    network = make_network({"a": entry}, (3, length, 1))
    torch.manual_seed(seed)
    module, x = NetworkModule(network).eval(), torch.randn(2, 3, length)
    (layer,) = module.layers()
    y = F.conv1d(F.max_pool1d(x, pool, stride), layer.op.weight, layer.op.bias, padding=padding, dilation=dilation)
    assert network.layers[0].out_shape == (*y.shape[1:], 1)
    assert torch.allclose(module(x[..., None]), y.flatten(1), atol=1e-5)


def test_pooling_alone_and_on_average(make_network):
    """One number is a length, for a signal has one column; the stride is that length."""
    network = make_network({"a": {"op": "passthrough", "pool": "avg", "pool_size": 3}, "b": CONV}, (3, 10, 1))
    assert network.layers[0].out_shape == (3, 3, 1)
    module, x = NetworkModule(network).eval(), torch.randn(2, 3, 10)
    _, last = module.layers()
    y = F.conv1d(F.avg_pool1d(x, 3), last.op.weight, last.op.bias, padding=1)
    assert torch.allclose(module(x[..., None]), y.flatten(1), atol=1e-6)


def test_a_signal_is_read_as_a_map_and_back(make_network):
    """Row by row, as torch's view has it; pooling and kernel see the new form."""
    layers = {
        "a": {"out_channels": 4, "in_size": [3, 4], "pool": "max", "pool_size": [1, 2]},
        "b": {"op": "conv1d", "out_channels": 2, "in_size": [6, 1]},
        "same": {"op": "passthrough", "in_size": [6, 1]},
    }
    network = make_network(layers, (3, 12, 1))
    assert [layer.out_shape for layer in network] == [(4, 3, 2), (2, 6, 1), (2, 6, 1)]
    assert [layer.in_size for layer in network] == [(3, 4), (6, 1), None]
    module, x = NetworkModule(network).eval(), torch.randn(2, 3, 12)
    first, second, _ = module.layers()
    y = F.relu(F.conv2d(F.max_pool2d(x.view(2, 3, 3, 4), (1, 2)), first.op.weight, first.op.bias, padding=1))
    y = F.relu(F.conv1d(y.reshape(2, 4, 6), second.op.weight, second.op.bias, padding=1))
    assert torch.allclose(module(x[..., None]), y.flatten(1), atol=1e-5)


def test_batch_normalization_of_a_signal(make_network):
    network = make_network({"a": {**CONV, "batchnorm": "affine"}, "b": CONV}, (3, 10, 1))
    module, x = NetworkModule(network).train(), torch.randn(8, 3, 10)
    first, _ = module.layers()
    y = first(x[..., None])
    expected = F.conv1d(x, first.op.weight, first.op.bias, padding=1)
    expected = F.relu(F.batch_norm(expected, None, None, training=True))
    assert torch.allclose(y[..., 0], expected, atol=1e-5)


@pytest.mark.parametrize("kernel", range(1, 10))
def test_padding_that_is_not_given_leaves_the_length_of_odd_kernels(make_network, kernel):
    (layer,) = make_network({"a": {**CONV, "kernel_size": kernel}}, (3, 20, 1))
    assert layer.out_shape == (4, 20 - (kernel + 1) % 2, 1)


def test_the_makers_keyword_network_has_the_published_counts(signal_model):
    """Operations by layer as its firmware for kws20_v3 states them (msdk, Examples/MAX78000/CNN/kws20_v3)."""
    network = signal_model("kws20_v3")
    assert network.weights == 169_472
    macs = [1_638_400, 3_628_800, 1_161_216, 562_176, 276_480, 516_096, 403_200, 153_600, 5_376]
    comparisons = [12_800, 12_096, 16_128, 2_928, 4_800, 2_688, 1_400, 1_656, 0]
    assert [layer.macs for layer in network] == macs
    assert [layer.comparisons for layer in network] == comparisons
    assert [layer.additions for layer in network] == [0, 0, 0, 0, 0, 0, 2_688, 0, 0]
    assert sum(layer.ops for layer in network) == 8_402_528


REFUSED = [
    ({"a": CONV}, (3, 8, 2), "model.layers.a: op conv1d reads signals, maps of one column; its input has 2"),
    ({"a": {**CONV, "kernel_size": [3, 1]}}, (3, 8, 1), "a.kernel_size=.3, 1.: must be a whole number for op conv1d"),
    ({"a": {**CONV, "padding": "same"}}, (3, 8, 1), "a.padding=same: must be a whole number for op conv1d"),
    ({"a": {**CONV, "kernel_size": 0}}, (3, 8, 1), "a.kernel_size=0: must be at least 1"),
    ({"a": {**CONV, "padding": -1}}, (3, 8, 1), "a.padding=-1: must be at least 0"),
    ({"a": {**CONV, "dilation": 0}}, (3, 8, 1), "a.dilation=0: must be at least 1"),
    ({"a": {**CONV, "kernel_size": 9, "padding": 0}}, (3, 8, 1), "a: its 8x1 input is too small"),
    ({"a": {**CONV, "in_size": [5, 1]}}, (3, 8, 1), ".in_size=.5, 1.: 5 pixels; its input has 8x1, 8"),
    (
        {"a": {"op": "linear", "out_features": 2, "in_size": [2, 4]}},
        (3, 8, 1),
        "a.in_size=.2, 4.: has no meaning for",
    ),
    ({"a": {**CONV, "in_size": [8, 0]}}, (3, 8, 1), "a.in_size=.8, 0.: must be at least 1"),
    ({"a": {**CONV, "in_size": "flat"}}, (3, 8, 1), "a.in_size=flat: must be a whole number, or a pair .height, wid"),
    (
        {"a": {"op": "conv2d", "out_channels": 4, "dilation": 2}},
        (3, 8, 8),
        "a.dilation=2: has no meaning",
    ),
]


@pytest.mark.parametrize(("layers", "in_shape", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refused_with_one_line_that_names_the_key(make_network, layers, in_shape, message):
    with pytest.raises(NetworkError, match=message) as caught:
        make_network(layers, in_shape)
    assert "\n" not in str(caught.value)
