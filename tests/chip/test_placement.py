"""The search for a memory map: nothing overlaps, and no map with fewer cycles is missed."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.base.errors import DeviceError
from maxexp.chip.check import check_fit
from maxexp.chip.config import DeviceConfig
from maxexp.chip.cost import network_cost
from maxexp.chip.cycles import layer_cycles
from maxexp.chip.memory.biases import place_biases
from maxexp.chip.memory.sequence import hardware_sequence, write_gaps
from maxexp.chip.memory.tensors import Block, place_blocks
from maxexp.chip.memory.verification import verify

MAX78000 = DeviceConfig("max78000", 50.0)

RESIDUAL = {
    "stem": {"out_channels": 20},
    "conv": {"out_channels": 20},
    "sum": {"out_channels": 12, "inputs": ["stem", "conv"], "eltwise": "add"},
    "end": {"op": "linear", "out_features": 5, "wide": True},
}


def block(size, first, last):
    return Block(("x",), size, 64, first, last)


def overlaps(blocks, offsets):
    return [
        (a, b)
        for (a, i), (b, j) in itertools.combinations(zip(blocks, offsets, strict=True), 2)
        if a.first <= b.last and b.first <= a.last and i < j + b.size and j < i + a.size
    ]


def exists(blocks, limit):
    """Whether any arrangement does, by trying all offsets; the first block is at 0."""
    places = [[0]] + [range(0, limit - b.size + 1, 4) for b in blocks[1:]]
    return any(not overlaps(blocks, offsets) for offsets in itertools.product(*places))


@settings(max_examples=150, deadline=None)
@given(
    sizes=st.lists(
        st.tuples(st.sampled_from([4, 8, 12, 16]), st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=5
    )
)
def test_an_arrangement_is_found_where_there_is_one(sizes):
    blocks = [block(16, -1, 0)] + [block(size, first, first + long) for size, first, long in sizes]
    found = place_blocks(blocks, [range(16)] * len(blocks), 32)
    assert (found is not None) == exists(blocks, 32)
    if found is not None:
        assert found[0] == 0
        assert all(offset % 4 == 0 and 0 <= offset <= 32 - b.size for b, offset in zip(blocks, found, strict=True))
        assert not overlaps(blocks, found)


def test_greedy_placement_by_size_would_fail_here():
    """20 and 18 at the bottom leave no room for 12 above the one and below the other."""
    blocks = [block(20, -1, 0), block(12, 0, 1), block(14, 1, 2), block(18, 2, 3)]
    assert place_blocks(blocks, [range(16)] * 4, 32) is not None


def test_tensors_in_different_instances_may_have_the_same_offsets():
    blocks = [block(32, -1, 1), block(32, 0, 1)]
    assert place_blocks(blocks, [range(0, 8), range(8, 16)], 32) == [0, 0]
    assert place_blocks(blocks, [range(0, 9), range(8, 16)], 32) is None


def test_copies_are_made_for_operands_that_others_read(make_network, max78000):
    sequence = hardware_sequence(make_network(RESIDUAL, (3, 16, 16)), max78000)
    assert [layer.name for layer in sequence] == ["stem", "conv", "stem-for-sum", "sum", "end"]
    assert sequence.by_name["sum"].inputs == ("stem-for-sum", "conv")
    assert write_gaps(sequence) == {"input": 0, "stem": 0, "conv": 1, "stem-for-sum": 1, "sum": 0, "end": 0}
    written_out = {
        **{key: RESIDUAL[key] for key in ("stem", "conv")},
        "copy": {"op": "passthrough", "inputs": ["stem"]},
        "sum": {**RESIDUAL["sum"], "inputs": ["copy", "conv"]},
        "end": RESIDUAL["end"],
    }
    # stem is read twice, conv and copy by the sum only.
    assert len(hardware_sequence(make_network(written_out), max78000).layers) == 5


def test_sums_of_the_same_operands_share_them(make_network, max78000):
    """The next convolution adds for itself what a bare sum adds for the sum behind it: nothing is copied."""
    both = {"inputs": ["a", "b"], "eltwise": "add"}
    layers = {
        "a": {"out_channels": 8},
        "b": {"out_channels": 8, "inputs": ["input"]},
        "conv": {"out_channels": 8, **both},
        "bare": {"op": "passthrough", **both},
        "end": {"out_channels": 4, "inputs": ["bare", "conv"], "eltwise": "add"},
    }
    network = make_network(layers, (3, 16, 16))
    assert hardware_sequence(network, max78000).layers == network.layers
    check_fit(network, {}, max78000)
    # The other way round they are another sum, whose words would have to lie in another order.
    layers["bare"]["inputs"] = ["b", "a"]
    network = make_network(layers, (3, 16, 16))
    copies = [layer.name for layer in hardware_sequence(network, max78000) if "-for-" in layer.name]
    assert copies == ["a-for-conv", "b-for-conv", "b-for-bare", "a-for-bare"]


def test_sums_of_the_same_operands_share_their_copies(make_network, max78000):
    both = {"inputs": ["stem", "conv"], "eltwise": "add"}
    layers = {
        "stem": {"out_channels": 8},
        "conv": {"out_channels": 8},
        "short": {"out_channels": 8, "kernel_size": 1, **both},
        "long": {"out_channels": 8, **both},
        "end": {"out_channels": 4, "inputs": ["short", "long"], "eltwise": "add"},
    }
    sequence = hardware_sequence(make_network(layers, (3, 16, 16)), max78000)
    assert [layer.name for layer in sequence] == ["stem", "conv", "stem-for-short", "short", "long", "end"]
    assert sequence.by_name["short"].inputs == sequence.by_name["long"].inputs == ("stem-for-short", "conv")
    check_fit(make_network(layers, (3, 16, 16)), {}, max78000)


def test_copies_are_made_for_operands_whose_passes_an_operation_cannot_step_over(make_network, max78000, max78002):
    """docs/hardware.md, Registers, LCTL2: passes times operands in 4 bits, 8 on the MAX78002; the synthesizer
    asserts it."""

    def wide_sum(channels):
        operand = {"out_channels": channels, "kernel_size": 1, "bias": False, "inputs": ["input"]}
        total = {"op": "passthrough", "inputs": ["a", "b"], "eltwise": "add"}
        return make_network({"a": operand, "b": operand, "sum": total, "end": {"out_channels": 4}}, (4, 2, 2))

    def copies(network, device):
        return [layer.name for layer in hardware_sequence(network, device) if layer.name not in network.by_name]

    assert copies(wide_sum(512), max78000) == []
    assert copies(wide_sum(576), max78000) == ["a-for-sum", "b-for-sum"]
    assert copies(wide_sum(576), max78002) == []
    check_fit(wide_sum(576), {}, max78000)


def test_copies_count_in_cycles_and_in_layers(make_network, max78000):
    network = make_network(RESIDUAL, (3, 16, 16))
    cost = network_cost(network, {}, MAX78000)
    copy = next(layer for layer in cost.layers if layer.name == "stem-for-sum")
    # 20 channels on 2 quadrants of 12 and 8, or of 16 and 4: 3 time slots at best, 2 cycles to read a pixel.
    assert copy.cycles == 16 * 16 * (2 + 3)
    assert cost.cycles == 1 + sum(layer.cycles for layer in cost.layers)
    assert cost.network.macs == sum(layer.macs for layer in cost.layers)
    with pytest.raises(DeviceError, match=r"net: 5 layers \(1 of them copies for sums\), max78000 .* remove 1"):
        check_fit(network, {}, replace(max78000, limits=replace(max78000.limits, layers=4)))


def test_the_residual_network_of_the_maker_is_faster_than_on_its_own_map(make_network, max78000):
    """docs/hardware.md, Latency: CIFAR-100 ResSimpleNet takes 144,043 cycles with the processors that the maker
    chose.

    Of its three copies the first has 20 channels on processors 0 to 19, so that one quadrant writes 16 of them in
    4 time slots; elsewhere 3 do, for each of 32 x 32 pixels.
    """
    layers = {
        "conv1": {"out_channels": 16},
        "conv2": {"out_channels": 20},
        "conv3": {"out_channels": 20},
        "conv4": {"out_channels": 20, "inputs": ["conv2", "conv3"], "eltwise": "add"},
        "conv5": {"out_channels": 20, "pool": "max"},
        "conv6": {"out_channels": 20},
        "conv7": {"out_channels": 44, "inputs": ["conv5", "conv6"], "eltwise": "add"},
        "conv8": {"out_channels": 48, "pool": "max"},
        "conv9": {"out_channels": 48},
        "conv10": {"out_channels": 96, "inputs": ["conv8", "conv9"], "eltwise": "add", "pool": "max"},
        "conv11": {"out_channels": 512, "kernel_size": 1, "pool": "max"},
        "conv12": {"out_channels": 128, "kernel_size": 1},
        "conv13": {"out_channels": 128, "pool": "max"},
        "conv14": {"out_channels": 100, "kernel_size": 1, "wide": True},
    }
    assert network_cost(make_network(layers), {}, MAX78000).cycles == 144_043 - 32 * 32


@pytest.mark.parametrize("channels", [8, 16, 24, 40, 64])
def test_no_choice_of_processors_takes_fewer_cycles(make_network, max78000, channels):
    network = make_network(
        {
            "a": {"out_channels": channels},
            "b": {"op": "passthrough", "pool": "max"},
            "c": {"out_channels": 3},
        }
    )
    memory = check_fit(network, {}, max78000).memory
    copy = network.by_name["b"]
    starts = range(0, 64 - channels + 1, 4)
    assert memory.layer_cycles["b"] == min(layer_cycles(copy, max78000, 0, start) for start in starts)


def test_biases_fill_the_quadrants_as_the_synthesizer_does(model, max78000):
    """docs/hardware.md, Counting operations: 842 bytes in all for nascifarnet, 202 + 224 + 224 + 192."""
    network = model("nascifarnet")
    places = place_biases(network, [0, 1, 2, 3], max78000)
    filled = [0] * 4
    for name, place in places.items():
        filled[place.group] += network.by_name[name].biases
    assert sorted(filled) == [192, 202, 224, 224]


def test_biases_beyond_one_quadrant_bring_in_others(make_network, max78000):
    """Only memories of quadrants with work are on: 600 biases need processors in two of them."""
    layers = {f"l{i}": {"out_channels": 40, "kernel_size": 1} for i in range(15)}
    memory = check_fit(make_network(layers, (4, 4, 4)), {}, max78000).memory
    assert len({place.group for place in memory.biases.values()}) > 1
    quadrants = {p // 16 for tensor in memory.first_processor for p in memory.processors(tensor)}
    assert {place.group for place in memory.biases.values()} <= quadrants


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: replace(m, data_offset=m.data_offset | {"conv": m.data_offset["conv"] + 4}),
        lambda m: replace(m, data_offset=m.data_offset | {"stem": m.data_offset["conv"]}),
        lambda m: replace(m, write_gap=m.write_gap | {"conv": 0}),
        lambda m: replace(m, data_offset=m.data_offset | {"sum": 32768 - 4}),
        lambda m: replace(m, kernel_offset=m.kernel_offset | {"end": 760}),
        lambda m: replace(m, kernel_offset=m.kernel_offset | {"sum": m.kernel_offset["conv"]}),
    ],
)
def test_the_proof_notices_a_wrong_map(make_network, max78000, spoil):
    memory = check_fit(make_network(RESIDUAL, (3, 16, 16)), {}, max78000).memory
    verify(memory)
    with pytest.raises(DeviceError, match="memory map of net: "):
        verify(spoil(memory))


def test_without_a_map_the_layer_the_excess_and_a_remedy_are_named(model, make_network, max78000):
    """simplenet with 100 classes: its bytes fit, but 47 columns more on all processors leave too few for the rest."""
    with pytest.raises(
        DeviceError, match=r"no memory map was found: the kernels of \w+ are at best \d+ columns over .* lower"
    ):
        check_fit(model("simplenet", classes=100), {}, max78000)
    layers = {"a": {"out_channels": 64, "kernel_size": 1}, "b": {"out_channels": 4, "kernel_size": 1}}
    with pytest.raises(
        DeviceError, match="the tensors alive at layer a are at best 1,032 bytes over .* use smaller images"
    ):
        check_fit(make_network(layers, (3, 65, 65)), {}, max78000)
