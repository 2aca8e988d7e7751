"""Cycles, operations and bytes against the maker's published and synthesized figures."""

import json

import pytest

from maxexp.chip.config import DeviceConfig
from maxexp.chip.cost import network_cost
from maxexp.chip.cycles import STARTUP_CYCLES, layer_cycles

MAX78000, MAX78002 = DeviceConfig("max78000", 50.0), DeviceConfig("max78002", 200.0)

CONV = {"op": "conv2d", "kernel_size": 3}
WIDEIN = {**CONV, "out_channels": 16}

# The cases that ai8x-synthesis asserts (izer/test/test_cycles.py) and our grammar has; startup cycle included.
ASSERTED = [
    (3049, (64, 20, 20), {**CONV, "out_channels": 16, "padding": 2, "pool": "max"}),
    (49010, (3, 65, 65), {**CONV, "out_channels": 32, "pool": "max", "pool_size": 16, "pool_stride": 4}),
    (67981, (3, 32, 32), {**CONV, "out_channels": 64}),
    (59773, (3, 32, 32), {**CONV, "out_channels": 64, "padding": 0}),
    (13885, (3, 32, 32), {**CONV, "out_channels": 64, "padding": 0, "pool": "max"}),
    (773, (128, 8, 8), {**WIDEIN, "pool": "max"}),
    (2485, (128, 8, 8), WIDEIN),
    (1437, (128, 8, 8), {**WIDEIN, "padding": 0}),
    (8189, (1, 28, 28), {**CONV, "out_channels": 8}),
    (193, (12, 4, 4), {"op": "linear", "out_features": 10}),
    (687, (79, 11, 11), {**CONV, "out_channels": 1, "padding": 0}),
    (770, (12, 8, 8), {"op": "linear", "out_features": 10}),
    (29, (1, 1, 1), {**CONV, "out_channels": 1}),
    (20, (12, 1, 1), {"op": "linear", "out_features": 17}),
    (3062, (5, 31, 7), {**CONV, "out_channels": 11}),
]


@pytest.mark.parametrize(("cycles", "in_shape", "entry"), ASSERTED)
def test_cycles_of_one_layer_as_the_synthesizer_asserts_them(make_network, max78000, cycles, in_shape, entry):
    (layer,) = make_network({"a": entry}, in_shape)
    assert STARTUP_CYCLES + layer_cycles(layer, max78000) == cycles


@pytest.mark.parametrize(
    ("cycles", "in_shape", "pooling"), [(721, (4, 12, 12), {}), (705, (8, 17, 17), {"pool": "max"})]
)
def test_cycles_of_a_bare_sum_as_the_synthesizer_asserts_them(make_network, max78000, cycles, in_shape, pooling):
    add = {"op": "passthrough", "inputs": ["a", "input"], "eltwise": "add", **pooling}
    layers = {"a": {"out_channels": in_shape[0], "kernel_size": 1}, "sum": add}
    layer = make_network(layers, in_shape).by_name["sum"]
    assert STARTUP_CYCLES + layer_cycles(layer, max78000) == cycles


def test_cycles_of_a_convolution_behind_a_pooled_sum(make_network, max78000):
    """``pool_first: false``: the formula of docs/hardware.md, Latency with its numbers put in by hand.

    2 operands of 8x6x6 pooled 2x2 to 3x3, 3x3 convolution to 5 channels, padding 1, one pass:
    in_pad 2, in_dat 2*4+1 = 9; col = 2*3 = 6; first row 6 + 3*3 = 15; row without output 6 + 3*10 = 36;
    row 3 + 1*10 + 2*9 + 2 = 33; padding row 3 + 1*3 + 2*2 + 2 = 12; output 3*5 = 15;
    pre-read (3 + 3 - 1)*offset with (3+2-3+1)*1 twice.
    """
    layers = {
        "a": {"out_channels": 8, "kernel_size": 1},
        "b": {**CONV, "out_channels": 5, "inputs": ["a", "input"], "eltwise": "add", "pool": "max"},
    }
    layer = make_network(layers, (8, 6, 6)).by_name["b"]
    expected = 15 + 36 * 1 + (33 + 15) * (3 - 1) + (12 + 15)
    assert layer_cycles(layer, max78000) == expected
    assert layer_cycles(layer, max78000, kernel_offset=12) == expected + (3 + 3 - 1) * 12


def test_cycles_of_a_convolution_behind_a_sum_without_pooling(make_network, max78000):
    """The default formula with two operands: in_pad 4, in_dat 2*(1+1) = 4, so every row costs the same input.

    4x4 map, 3x3 convolution to 2 channels: col 10, first row 10 + 4*5 = 30, row without output 30,
    row 5 + 1*5 + 3*4 + 4 = 26, output 4*2 = 8: 30 + 30 + (26+8)*3 + (26+8).
    """
    layers = {
        "a": {"out_channels": 2, "kernel_size": 1},
        "b": {**CONV, "out_channels": 2, "inputs": ["a", "input"], "eltwise": "add"},
    }
    layer = make_network(layers, (2, 4, 4)).by_name["b"]
    assert layer_cycles(layer, max78000, kernel_offset=100) == 30 + 30 + 34 * 3 + 34


@pytest.mark.parametrize(
    ("name", "classes", "cycles"),
    [
        ("cmsisnnet", 10, 94_889),
        ("nascifarnet", 10, 228_217),
        ("nascifarnet", 100, 228_937),
        ("simplenet", 10, 101_613),
    ],
)
def test_cycles_are_those_of_the_synthesizer(model, name, classes, cycles):
    cost = network_cost(model(name, classes=classes), {}, MAX78000)
    assert cost.cycles == cycles
    assert cost.metrics()["hw/latency_us"] == cycles / 50


def test_every_figure_of_nascifarnet_as_the_synthesizer_prints_it(model, ai8x):
    golden = json.loads((ai8x / "cifar10-nas.golden.json").read_text())
    cost = network_cost(model("nascifarnet"), {}, MAX78000)
    assert [layer.cycles for layer in cost.layers] == golden["latency_cycles"]["layers"]
    assert [layer.macs for layer in cost.layers] == golden["ops"]["macc_per_layer"]
    metrics = cost.metrics()
    assert metrics["hw/ops"] == golden["ops"]["total"] == 36_481_536
    assert metrics["hw/weight_bytes"] == golden["weight_bytes"]
    assert metrics["hw/bias_bytes"] == golden["bias_bytes"]
    # The deck's "throughput": multiply-accumulates per cycle, from a latency measured some 6 us longer.
    assert metrics["hw/macs_per_cycle"] == pytest.approx(158.34, rel=2e-3)
    assert metrics["hw/images_per_s"] == pytest.approx(218.81, rel=2e-3)


def test_the_measured_latency_of_the_deck_is_predicted(model):
    for classes, measured in ((10, 4570), (100, 4584)):
        latency = network_cost(model("nascifarnet", classes=classes), {}, MAX78000).latency_us
        assert measured - latency == pytest.approx(6, abs=1.5)


def test_weight_bytes_follow_the_bits_and_cycles_do_not(model):
    network = model("nascifarnet")
    full = network_cost(network, {}, MAX78000)
    mixed = network_cost(network, dict.fromkeys(network.by_name, 4) | {"conv1_1": 8, "fc": 1}, MAX78000)
    assert mixed.fit.weight_bytes == (301_760 - 1728 - 5120) // 2 + 1728 + 5120 // 8
    assert mixed.cycles == full.cycles
    assert [layer.bits for layer in mixed.layers] == [8] + [4] * 9 + [1]


def test_max78002_has_memory_but_no_cycles(model):
    cost = network_cost(model("nascifarnet"), {}, MAX78002)
    assert cost.cycles is None and cost.latency_us is None
    assert cost.metrics()["hw/weight_bytes"] == 301_760
    assert cost.metrics()["hw/weight_share"] == 301_760 / MAX78002.part.weight_bytes
    assert cost.metrics()["hw/data_share"] == cost.fit.data_bytes / (16 * 80 * 1024)
    assert not {"hw/cycles", "hw/latency_us", "hw/images_per_s"} & set(cost.metrics())
