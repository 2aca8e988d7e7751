"""Placement of kernels: what docs/hardware.md, Kernel memory and 8.4 demand of every placement."""

import random
import time
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.base.errors import DeviceError
from maxexp.chip.check import check_fit
from maxexp.chip.memory.placement import place
from maxexp.chip.memory.sequence import hardware_sequence
from maxexp.chip.operations import CHIP_OPERATIONS
from maxexp.network.graph import INPUT


def spans(network, kernels, device):
    """Processors of each layer with weights, counted anew: all channels, evenly in passes of up to 64."""
    result = {}
    for layer in network:
        if not layer.has_weights:
            continue
        channels = layer.in_shape[0]
        passes = -(-channels // 64)
        used = -(-channels // passes)
        used = used if passes == 1 else 4 * ceil(used / 4)
        start = kernels.first_processor[layer.inputs[0]]
        result[layer.name] = range(start, start + used)
    return result


def assert_placed(network, kernels, device):
    where = spans(network, kernels, device)
    taken = {}
    for name, processors in where.items():
        offset, columns = kernels.kernel_offset[name], kernels.kernel_columns[name]
        assert offset % 4 == 0 and processors.start % 4 == 0
        assert processors.start >= 0 and processors.stop <= 64
        assert offset + columns <= device.memories.kernel_columns
        for cell in ((p, c) for p in processors for c in range(offset, offset + columns)):
            assert cell not in taken, f"{name} and {taken[cell]} share {cell}"
            taken[cell] = name
    assert kernels.first_processor[INPUT] == 0
    for group in network.tied_tensors:
        assert len({kernels.first_processor[tensor] for tensor in group}) == 1
    assert_first_fit(kernels, where)


def assert_first_fit(kernels, where):
    """Every layer is at the lowest multiple of 4 where the layers before it leave room on all its processors."""
    full = [name for name, processors in where.items() if len(processors) == 64]
    placed = []
    for name in full + [name for name in where if name not in full]:
        rivals = [other for other in placed if set(where[other]) & set(where[name])]
        lower = range(0, kernels.kernel_offset[name], 4)
        for offset in lower:
            assert any(
                offset < kernels.kernel_offset[other] + kernels.kernel_columns[other]
                and kernels.kernel_offset[other] < offset + kernels.kernel_columns[name]
                for other in rivals
            ), f"{name} could be at {offset}"
        placed.append(name)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_kernels_never_overlap(random_network, max78000, seed):
    network = hardware_sequence(random_network(seed, max_channels=150, max_layers=8), max78000)
    draw = random.Random(seed)
    bits = {layer.name: draw.choice([1, 2, 4, 8]) for layer in network}
    try:
        kernels = place(network, bits, max78000)
    except DeviceError:
        columns = sum(CHIP_OPERATIONS[x.op].columns(x, bits[x.name], max78000) for x in network)
        assert columns > 768 // 2, "a network this small has room"
        return
    assert_placed(network, kernels, max78000)


@pytest.mark.parametrize("name", ["cmsisnnet", "nascifarnet", "simplenet"])
def test_the_networks_of_the_deck_fit(model, max78000, name):
    network = model(name)
    assert_placed(network, check_fit(network, {}, max78000).memory, max78000)


def test_columns_of_simplenet_are_those_of_the_synthesizer(model, max78000):
    """docs/hardware.md, Latency: 64-128 and 128-256 take 128 and 512 of the 768 columns on all processors."""
    columns = check_fit(model("simplenet"), {}, max78000).memory.kernel_columns
    assert [columns[name] for name in ("conv5", "conv6")] == [128, 512]
    assert columns["classifier"] == ceil(10 * 4 / 9)


@pytest.mark.parametrize(
    ("bits", "entry", "in_shape", "expected"),
    [
        (8, {"out_channels": 64}, (3, 8, 8), 64),
        (8, {"out_channels": 128}, (128, 8, 8), 256),
        (4, {"out_channels": 64}, (64, 8, 8), 32),
        (1, {"out_channels": 64}, (64, 8, 8), 8),
        (8, {"out_channels": 100}, (64, 8, 8), 104),
        (8, {"out_channels": 64, "kernel_size": 1}, (64, 8, 8), 8),
        # 10 x 16 pixels of 8 bits: 160 bytes
        (8, {"op": "linear", "out_features": 10}, (64, 4, 4), 18),
        # 3 kernels of 9 weights, 4 bits: 13.5 bytes, and the odd kernel is filled up: (3 % 2) * 9 * 1 bits more
        (4, {"out_channels": 3}, (3, 8, 8), 2),
    ],
)
def test_columns_of_one_layer(make_network, max78000, bits, entry, in_shape, expected):
    (layer,) = make_network({"a": entry}, in_shape)
    assert CHIP_OPERATIONS[layer.op].columns(layer, bits, max78000) == expected


def test_too_many_columns_are_refused_with_the_amount(make_network, max78000):
    wide = {"out_channels": 256}
    network = make_network({"a": {"out_channels": 128}, "b": wide, "c": {**wide, "kernel_size": 3}}, (3, 8, 8))
    # b takes 2 * 256 and c 4 * 256 columns on all 64 processors.
    with pytest.raises(DeviceError, match="layer c: .* 768 columns .442,368 bytes. more than the 768") as caught:
        place(network, dict.fromkeys(network.by_name, 8), max78000)
    assert "reduce" in str(caught.value)


def test_a_network_that_cannot_be_placed_is_refused_soon(make_network, max78000):
    """Its bytes fit, but no two of its layers fit on one processor; the search must notice in time."""
    layers = {f"layer{i}": {"out_channels": 36, "kernel_size": 3} for i in range(31)}
    network = make_network(layers, (36, 8, 8))
    assert network.weights < max78000.weight_bytes
    start = time.perf_counter()
    with pytest.raises(DeviceError, match="no memory map|more than"):
        place(network, dict.fromkeys(network.by_name, 8), max78000)
    assert time.perf_counter() - start < 3


def test_a_flattening_layer_with_two_output_passes_fills_some_bytes_more(make_network, max78000):
    """100 outputs are 2 passes of 52: 4 bytes more than 100 * 2 * 4, which is what the synthesizer's log says."""
    (layer,) = make_network({"a": {"op": "linear", "out_features": 100}}, (128, 2, 2))
    operation = CHIP_OPERATIONS[layer.op]
    assert (operation.columns(layer, 8, max78000), operation.written_columns(layer, 8, max78000)) == (89, 90)
    assert operation.columns(layer, 4, max78000) == operation.written_columns(layer, 4, max78000) == 45
