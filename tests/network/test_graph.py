"""Shapes, counts and refusals of network descriptions."""

import re
import subprocess
import sys
from math import prod

import pytest
import torch
import torch.nn.functional as F

from maxexp.base.errors import ConfigError, NetworkError
from maxexp.network.config import NetworkConfig
from maxexp.network.graph import INPUT, RESERVED_NAMES
from maxexp.network.layer import scale_channels
from maxexp.network.module import NetworkModule

# Published: the deck and the maker's tables (see /experiments), the last line by hand from the deck's layers.
PUBLISHED = [
    ("cmsisnnet", 10, 94_048, 266, 16_820_224),
    ("nascifarnet", 10, 301_760, 842, 36_180_992),
    ("nascifarnet", 100, 347_840, 932, 36_227_072),
    ("simplenet", 10, 408_928, 554, 23_300_608),
]


@pytest.mark.parametrize(("name", "classes", "weights", "biases", "macs"), PUBLISHED)
def test_counts_are_the_published_ones(model, name, classes, weights, biases, macs):
    network = model(name, classes=classes)
    assert (network.weights, network.biases, network.macs) == (weights, biases, macs)
    assert network.out_features == classes


def test_parameters_and_output_of_the_module_agree_with_the_counts(random_network):
    for seed in range(40):
        network = random_network(seed)
        module = NetworkModule(network).eval()
        parameters = dict(module.named_parameters())
        assert sum(p.numel() for n, p in parameters.items() if n.endswith("op.weight")) == network.weights
        assert sum(p.numel() for n, p in parameters.items() if n.endswith("op.bias")) == network.biases
        assert module(torch.zeros(2, *network.in_shape)).shape == (2, network.out_features)


def assert_shape(layer, _, y):
    assert tuple(y.shape[1:]) == layer.spec.out_shape


def test_shapes_are_those_that_torch_computes(random_network):
    for seed in range(40):
        network = random_network(seed)
        module = NetworkModule(network).eval()
        for layer in module.layers():
            layer.register_forward_hook(assert_shape)
        module(torch.zeros(1, *network.in_shape))


def test_operations_are_counted_as_the_synthesizer_does(make_network):
    """docs/hardware.md, Counting operations: macc, comparisons of activation and max pooling, additions of avg
    pooling and sums."""
    network = make_network(
        {
            "a": {"out_channels": 8, "kernel_size": 3},
            "b": {"out_channels": 8, "kernel_size": 3, "activation": "none"},
            "c": {"out_channels": 4, "kernel_size": 1, "inputs": ["a", "b"], "eltwise": "add", "pool": "avg"},
            "d": {"op": "passthrough", "pool": "max", "pool_size": 3, "pool_stride": 1},
            "e": {"op": "linear", "out_features": 5, "wide": True},
        },
        (3, 8, 8),
    )
    a, b, c, d, e = network
    assert (a.macs, a.comparisons, a.additions) == (3 * 8 * 9 * 64, 8 * 64, 0)
    assert (b.macs, b.comparisons, b.additions) == (8 * 8 * 9 * 64, 0, 0)
    # Two operands of 8x8x8 are added, then 2x2 windows of one map averaged, to 4x4.
    assert (c.macs, c.comparisons, c.additions) == (8 * 4 * 16, 4 * 16, 8 * 64 + 4 * 8 * 16)
    assert (d.macs, d.comparisons, d.additions, d.ops) == (0, 9 * 4 * 2 * 2, 0, 9 * 4 * 2 * 2)
    assert (e.macs, e.comparisons, e.additions) == (4 * 2 * 2 * 5, 0, 0)


def test_scores_may_be_negative_where_nothing_is_said_of_the_last_activation(make_network):
    """As torch's and the maker's linear layers; before it each layer has a ReLU."""
    layers = {"a": {"out_channels": 8}, "b": {"op": "linear", "out_features": 5}}
    assert [layer.activation.name for layer in make_network(layers, (3, 8, 8))] == ["relu", "none"]
    layers["b"]["activation"] = "relu"
    assert [layer.activation.name for layer in make_network(layers, (3, 8, 8))] == ["relu", "relu"]


@pytest.mark.parametrize(
    ("channels", "width", "expected"),
    [(30, 1.0, 30), (64, 0.5, 32), (64, 0.51, 36), (6, 0.1, 4), (10, 1.2, 12), (32, 1.5, 48), (32, 1.1, 36)],
)
def test_width_rounds_up_to_words_of_four_channels(channels, width, expected):
    assert scale_channels(channels, width) == expected


def test_width_leaves_the_number_of_classes(model):
    network = model("cmsisnnet", "model.width=0.5")
    assert [layer.out_shape[0] for layer in network] == [16, 16, 16, 16, 32, 32, 10]


@pytest.mark.parametrize("width", [0, -1, 17])
def test_width_out_of_range_is_refused(width):
    with pytest.raises(ConfigError, match="model.width"):
        NetworkConfig("net", width, {"a": None})


CONV = {"out_channels": 4}
REFUSED = [
    ({"a": {"op": "conv7d"}}, "model.layers.a.op=conv7d: no such operation; there are .*conv2d, linear, passthrough"),
    ({"a": CONV, "b": {**CONV, "inputs": ["a", "a"], "eltwise": "sub"}}, "b.eltwise=sub: not supported yet"),
    ({"a": CONV, "b": {**CONV, "inputs": ["a", "input"]}}, "b.inputs has 2 entries.*concatenation"),
    ({"a": CONV, "b": {**CONV, "inputs": ["a"], "eltwise": "add"}}, "b.eltwise=add: needs at least two"),
    ({"a": CONV, "b": {**CONV, "inputs": ["a", "a"], "eltwise": "add"}}, "b.inputs: a is there twice"),
    ({"a": CONV, "b": {**CONV, "inputs": ["c"]}, "c": CONV}, "b.inputs: 'c' is not an earlier layer.*input, a"),
    ({"a": CONV, "b": {**CONV, "inputs": ["a", "input"], "eltwise": "add"}}, "b.inputs: input is .3, 8, 8., a is"),
    ({"a": CONV, "b": CONV, "c": {**CONV, "inputs": ["a"]}}, "model.layers.b: no later layer reads it"),
    ({"a": {}}, "a.out_channels=None: op conv2d needs a positive number"),
    ({"a": {"out_channels": 0}}, "a.out_channels=0"),
    ({"a": {"op": "linear", "out_channels": 4}}, "a.out_channels=4: has no meaning for op linear"),
    ({"a": {**CONV, "out_features": 4}}, "a.out_features=4: has no meaning for op conv2d"),
    ({"a": {**CONV, "kernel_size": 0}}, "a.kernel_size=0: must be at least 1"),
    ({"a": {**CONV, "kernel_size": "big"}}, "a.kernel_size=big: must be a whole number, or a pair .height, width."),
    ({"a": {**CONV, "kernel_size": [3, 3, 3]}}, "a.kernel_size=.3, 3, 3.: must be a whole number, or a pair"),
    ({"a": {**CONV, "kernel_size": 1.5}}, "a.kernel_size=1.5: must be a whole number"),
    ({"a": {**CONV, "kernel_size": True}}, "a.kernel_size=True: must be a whole number"),
    ({"a": {**CONV, "padding": -1}}, "a.padding=-1: must be at least 0"),
    ({"a": {**CONV, "padding": [0, -1]}}, "a.padding=.0, -1.: must be at least 0"),
    ({"a": {"op": "linear", "out_features": 4, "padding": 1}}, "a.padding=1: has no meaning for op linear"),
    ({"a": {"op": "linear", "out_features": 4, "kernel_size": 1}}, "a.kernel_size=1: has no meaning for op linear"),
    ({"a": CONV, "b": {"op": "passthrough", "kernel_size": 1}}, "b.kernel_size=1: has no meaning for op passthrough"),
    ({"a": {**CONV, "pool": "avg", "pool_size": 0}}, "a.pool_size=0: must be at least 1"),
    ({"a": {**CONV, "pool": "max", "pool_stride": 0}}, "a.pool_stride=0: must be at least 1"),
    ({"a": {**CONV, "pool_stride": 2}}, "a.pool_stride=2: has no meaning without pool"),
    ({"a": {**CONV, "pool_size": 3}}, "a.pool_size=3: has no meaning without pool"),
    ({"a": {**CONV, "pool": "max", "pool_size": 9}}, "model.layers.a: its 8x8 input is too small"),
    ({"a": {**CONV, "pool": "max", "pool_size": 8, "padding": 0}}, "model.layers.a: its 8x8 input is too small"),
    ({"a": {**CONV, "dropout": 1.0}}, "a.dropout=1.0"),
    ({"a": CONV, "b": {"op": "passthrough", "dropout": 0.5}}, "b.dropout=0.5: has no meaning for op passthrough"),
    (
        {"a": {"op": "linear", "out_features": 4, "batchnorm": "affine"}},
        "a.batchnorm=affine: has no meaning",
    ),
    ({"a": {**CONV, "bias": False, "batchnorm": "no_affine"}}, "a.batchnorm: needs bias: true"),
    ({"a": {**CONV, "wide": True}, "b": CONV}, "a.wide=true: only the last layer"),
    ({"a": {**CONV, "wide": True, "activation": "relu"}}, "a.activation=relu: must be none"),
    ({"a": CONV, "b": {"op": "passthrough", "activation": "abs"}}, "b.activation=abs: must be none"),
    ({"a": CONV, "b": {"op": "passthrough", "wide": True}}, "b.wide=true: has no meaning for op passthrough"),
    ({"a": {"op": "passthrough"}}, "all are passthrough"),
    ({"a-b": CONV}, "model.layers.a-b: 'a-b' cannot be a layer's name"),
    ({"_modules": CONV}, "model.layers._modules: '_modules' cannot be a layer's name"),
]


def test_a_network_need_not_fit_a_chip(make_network):
    """A teacher may have what no accelerator has: shapes are torch's all the same."""
    network = make_network(
        {
            "a": {"out_channels": 5, "kernel_size": 7, "padding": [4, 0]},
            "b": {
                "out_channels": 6,
                "kernel_size": [1, 5],
                "pool": "max",
                "pool_size": [20, 1],
                "pool_stride": [3, 2],
            },
            "c": {"op": "linear", "out_features": 4, "pool": "avg", "pool_size": 2},
        },
        (3, 64, 48),
    )
    module = NetworkModule(network).eval()
    for layer in module.layers():
        layer.register_forward_hook(assert_shape)
    assert module(torch.zeros(1, *network.in_shape)).shape == (1, 4)
    assert network.weights == 3 * 5 * 49 + 5 * 6 * 5 + 4 * prod(network.by_name["c"].pooled_shape)


@pytest.mark.parametrize(("layers", "message"), REFUSED, ids=[text[:40] for _, text in REFUSED])
def test_refused_with_one_line_that_names_the_key(make_network, layers, message):
    with pytest.raises(NetworkError, match=message) as caught:
        make_network(layers, (3, 8, 8))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("model.layers")


@pytest.mark.parametrize("name", ["a b", "1e5", "$\\undefined$", "é-1", "_x", "training", "2026_11_30", "?"])
def test_the_name_that_a_refusal_proposes_is_taken(make_network, name):
    with pytest.raises(NetworkError) as caught:
        make_network({name: CONV})
    (proposed,) = re.findall(r"; write (\S+), say$", str(caught.value))
    assert make_network({proposed: CONV}).layers[0].name == proposed


def test_names_that_the_torch_module_has_are_refused(make_network):
    """A child of a torch module cannot have the name of an attribute; whatever this torch has is reserved."""
    module = NetworkModule(make_network({"a": CONV}))
    attributes = {name for name in dir(module) if not name.startswith("_")} - {"a"}
    assert attributes <= RESERVED_NAMES
    for name in sorted(RESERVED_NAMES):
        with pytest.raises(NetworkError, match=f"model.layers.{name}: '{name}' cannot be a layer's name"):
            make_network({name: CONV})


def test_last_use_and_ties_of_a_residual_network(make_network):
    network = make_network(
        {
            "a": {"out_channels": 3},
            "b": {"out_channels": 3, "kernel_size": 1},
            "c": {"op": "passthrough", "inputs": ["b", "a"], "eltwise": "add"},
            "d": {"out_channels": 3, "inputs": ["c", "input"], "eltwise": "add"},
            "e": {"op": "linear", "out_features": 2},
        },
        (3, 8, 8),
    )
    assert network.last_use == {INPUT: 3, "a": 2, "b": 2, "c": 3, "d": 4}
    groups = sorted(sorted(group) for group in network.tied_tensors)
    assert groups == [["a", "b", "c", "input"], ["d"], ["e"]]


def test_a_network_is_refused_without_importing_torch():
    """Refusing must take well under a second; torch alone takes longer."""
    code = (
        "import sys, maxexp.network.config, maxexp.network.graph\n"
        "import maxexp.chip.config, maxexp.chip.cycles, maxexp.chip.memory.kernels\n"
        "import maxexp.chip.check, maxexp.chip.cost, maxexp.quantization.config\n"
        "sys.exit(int('torch' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_module_computes_the_layers_in_their_order(make_network):
    """Sum, average pooling, convolution, batch norm, |x|; written again with torch's functions."""
    network = make_network(
        {
            "a": {"out_channels": 3, "batchnorm": "affine", "activation": "abs"},
            "b": {"out_channels": 4, "inputs": ["a", "input"], "eltwise": "add", "pool": "avg", "padding": 2},
            "c": {"op": "linear", "out_features": 2, "wide": True},
        },
        (3, 6, 6),
    )
    torch.manual_seed(0)
    module = NetworkModule(network).eval()
    a, b, c = module.layers()
    a.bn.running_mean.normal_()
    a.bn.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 3, 6, 6)
    first = F.conv2d(x, a.op.weight, a.op.bias, padding=1)
    mean, variance = (t[None, :, None, None] for t in (a.bn.running_mean, a.bn.running_var))
    first = ((first - mean) / (variance + 1e-5).sqrt()).abs()
    second = F.relu(F.conv2d(F.avg_pool2d(first + x, 2), b.op.weight, b.op.bias, padding=2))
    expected = second.flatten(1) @ c.op.weight.T + c.op.bias
    assert torch.allclose(module(x), expected, atol=1e-5)
