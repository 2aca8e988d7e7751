"""Signals on the chip: limits, cycles and bytes; equal to the synthesizer's in tests/synthesis."""

import re
from pathlib import Path

import pytest

from maxexp.base.errors import DeviceError
from maxexp.chip.check import check_fit
from maxexp.chip.config import DeviceConfig
from maxexp.chip.cost import network_cost
from tests.synthesis.networks import SIGNALS

GUIDE = Path(__file__).parents[2] / "docs" / "how_to" / "own_network.md"
MAX78000 = DeviceConfig("max78000", 50.0)
CONV = {"op": "conv1d", "out_channels": 4}


def test_the_makers_networks_cost_what_its_synthesizer_says(signal_model):
    """Cycles by layer, of kws20_v3 also in docs/hardware.md, Latency, from its logs."""
    keywords = network_cost(signal_model("kws20_v3"), {}, MAX78000)
    assert keywords.cycles == 71_782
    assert [layer.cycles for layer in keywords.layers] == [27136, 24706, 8452, 3056, 2016, 2750, 3006, 567, 92]
    # Its README says 1442 us; a stopwatch on the board adds 6 to 7 (docs/hardware.md, Latency).
    assert keywords.latency_us == pytest.approx(1442 - 6.6, abs=1)
    vibration = network_cost(signal_model("autoencoder"), {}, MAX78000)
    assert [layer.cycles for layer in vibration.layers] == [1560, 142, 34, 6, 34, 98, 1540]


def test_the_guide_states_what_networks_of_signals_cost(signal_model):
    """Equal to the synthesizer's and the emulator's in tests/synthesis/test_signals.py."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) \|", GUIDE.read_text(), re.MULTILINE)
    assert [name for name, _, _ in rows] == list(SIGNALS)
    for name, *stated in rows:
        cost = network_cost(signal_model(name), {}, MAX78000)
        assert stated == [f"{cost.network.weights:,}", f"{cost.cycles:,}"]


def test_a_dilated_kernel_takes_the_room_of_its_zeros(make_network, max78000):
    """Three weights, three samples apart, are seven numbers in kernel memory."""
    plain = make_network({"a": {**CONV, "kernel_size": 7, "padding": 0}, "b": CONV}, (8, 20, 1))
    spread = make_network({"a": {**CONV, "dilation": 3, "padding": 0}, "b": CONV}, (8, 20, 1))
    assert (plain.weights, spread.weights) == (8 * 4 * 7 + 4 * 4 * 3, 8 * 4 * 3 + 4 * 4 * 3)
    fits = [check_fit(network, {}, max78000) for network in (plain, spread)]
    assert fits[0].weight_bytes == fits[1].weight_bytes
    assert fits[0].memory.kernel_columns == fits[1].memory.kernel_columns


REFUSED = [
    ({"a": {**CONV, "kernel_size": 10}}, (3, 40, 1), "layer a: kernel_size 10; max78000 has kernels of up to 9 samp"),
    (
        {"a": {**CONV, "dilation": 5}},
        (3, 40, 1),
        "layer a: kernel_size 3 and dilation 5, which reach over 11 samples; max78000 has kernels of up to 9 samples",
    ),
    ({"a": {**CONV, "kernel_size": 1, "dilation": 2}}, (3, 40, 1), "layer a: dilation 2 of a kernel of one sample"),
    (
        {"a": {**CONV, "kernel_size": 9}},
        (3, 40, 1),
        "layer a: padding 4 of a kernel of 9; max78000 pads by at",
    ),
    (
        {"a": CONV, "b": CONV, "c": {**CONV, "inputs": ["a", "b"], "eltwise": "add"}},
        (3, 40, 1),
        "layer c: max78000 has no conv1d behind a sum; add in a passthrough layer in front of it",
    ),
    (
        {"a": CONV, "b": {"out_channels": 4, "inputs": ["input", "a"], "eltwise": "add", "in_size": [5, 8]}},
        (4, 40, 1),
        "layer b: in_size 5x8 of a sum; set it in a layer behind this one",
    ),
    (
        {"a": {"out_channels": 4, "in_size": [5, 8]}},
        (4, 40, 1),
        "layer a: in_size 5x8 of the network's input; set it in a layer behind this one",
    ),
    (
        {"a": {**CONV, "pool": "max", "pool_size": 17}},
        (3, 40, 1),
        "layer a: pool_size 17x1; max78000 pools windows",
    ),
]


@pytest.mark.parametrize(("layers", "in_shape", "message"), REFUSED, ids=range(len(REFUSED)))
def test_limit(make_network, max78000, layers, in_shape, message):
    with pytest.raises(DeviceError, match=message):
        check_fit(make_network(layers, in_shape), {}, max78000)


def test_max78002_pads_no_signal_of_several_passes(make_network, max78000, max78002):
    network = make_network({"a": CONV, "b": CONV}, (100, 20, 1))
    check_fit(network, {}, max78000)
    with pytest.raises(DeviceError, match="layer a: max78002 does not pad a conv1d of more than 64 channels; set"):
        check_fit(network, {}, max78002)
    check_fit(make_network({"a": {**CONV, "padding": 0}, "b": CONV}, (100, 20, 1)), {}, max78002)
