"""The YAML replayed byte by byte on the memory layout of docs/hardware.md, Data layout, from its text alone.

Nothing of the product takes part but the text: masks, offsets, gaps and sequences are read from it, and each
layer must find in data memory what its sources wrote there, before and after it wrote its own output.
"""

import random
from math import ceil

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.base.errors import DeviceError
from maxexp.chip.check import check_fit
from maxexp.synthesis.network_yaml import network_yaml

INSTANCES, WORDS = 16, 8192


class Chip:
    """Data memory whose bytes hold (tensor, channel, row, column) instead of values."""

    def __init__(self):
        self.bytes = np.full((INSTANCES, WORDS, 4), -1, dtype=np.int64)

    def write(self, tag, shape, processors, offset, gap, wide=False):
        for channel, index, pixels in self.channels(shape, processors):
            passes = ceil(shape[0] / 64)
            if wide:
                # One word for each channel: its byte lane became the word in a group of four.
                lane = processors[index % len(processors)] % 4
                words = offset // 4 + 4 * (pixels * passes + index // len(processors)) + lane
                for byte in range(4):
                    self.put(processors[index % len(processors)], words, byte, tag, channel, pixels)
                continue
            words = offset // 4 + (pixels * passes + index // len(processors)) * (gap + 1)
            processor = processors[index % len(processors)]
            self.put(processor, words, processor % 4, tag, channel, pixels)

    def put(self, processor, words, lane, tag, channel, pixels):
        assert words.max() < WORDS, "beyond the instance"
        self.bytes[processor // 4, words, lane] = (tag << 40) + (channel << 28) + pixels

    def assert_holds(self, tags, shape, processors, offset):
        passes = ceil(shape[0] / 64)
        for channel, index, pixels in self.channels(shape, processors):
            processor = processors[index % len(processors)]
            for operand, tag in enumerate(tags):
                words = offset // 4 + (pixels * passes + index // len(processors)) * len(tags) + operand
                found = self.bytes[processor // 4, words, processor % 4]
                assert np.array_equal(found, (tag << 40) + (channel << 28) + pixels)

    @staticmethod
    def channels(shape, processors):
        channels, rows, cols = shape
        for channel in range(channels):
            yield channel, channel, np.arange(rows * cols)


def bits_set(mask):
    return [p for p in range(64) if mask >> p & 1]


def replay(text, in_shape, out_channels):
    """``out_channels``: of each layer with weights, in order; all else comes from the text."""
    layers = yaml.safe_load(text)["layers"]
    weights = iter(out_channels)
    chip = Chip()
    shapes = {-1: in_shape}
    chip.write(100, in_shape, bits_set(layers[0]["processors"]), layers[0]["in_offset"], 0)
    for index, layer in enumerate(layers):
        sources = layer.get("in_sequences", [index - 1])
        shape = shapes[sources[0]]
        assert all(shapes[source] == shape for source in sources)
        assert len(sources) == layer.get("operands", 1)
        inputs, outputs = bits_set(layer["processors"]), bits_set(layer["output_processors"])
        tags = [source if source >= 0 else 100 for source in sources]
        chip.assert_holds(tags, shape, inputs, layer["in_offset"])
        channels, rows, cols = shape
        before = rows * cols
        rows, cols = layer.get("in_dim", [rows, cols])
        assert rows * cols == before
        size = layer.get("max_pool", layer.get("avg_pool", 1))
        high, wide = size if isinstance(size, list) else (size, size)
        rows, cols = ((n - k) // layer.get("pool_stride", 1) + 1 for n, k in ((rows, high), (cols, wide)))
        if layer["operation"] == "passthrough":
            assert inputs == outputs
        else:
            channels = next(weights)
        if layer["operation"] == "conv2d":
            side = 2 * layer["pad"] - int(layer["kernel_size"][0]) + 1
            rows, cols = rows + side, cols + side
        if layer["operation"] == "conv1d":
            assert cols == 1
            rows += 2 * layer["pad"] - layer.get("dilation", 1) * (layer["kernel_size"] - 1)
        if layer["operation"] == "mlp":
            assert layer.get("flatten", False) == ((rows, cols) != (1, 1))
            rows = cols = 1
        shapes[index] = (channels, rows, cols)
        assert len(outputs) == ceil(ceil(channels / ceil(channels / 64)) / (4 if channels > 64 else 1)) * (
            4 if channels > 64 else 1
        )
        wide = layer.get("output_width", 8) == 32
        chip.write(index, shapes[index], outputs, layer["out_offset"], layer.get("write_gap", 0), wide)
        chip.assert_holds(tags, shape, inputs, layer["in_offset"])
    return shapes


def assert_replays(network, memory, bits):
    text = network_yaml(memory, bits, "cifar10")
    shapes = replay(text, network.in_shape, [layer.out_shape[0] for layer in network if layer.has_weights])
    assert shapes[len(memory.network.layers) - 1] == network.layers[-1].out_shape
    return text


@pytest.mark.parametrize(
    ("name", "classes"),
    [("cmsisnnet", 10), ("cmsisnnet", 100), ("nascifarnet", 10), ("nascifarnet", 100), ("simplenet", 10)],
)
def test_networks_of_the_deck(model, max78000, name, classes):
    network = model(name, classes=classes)
    assert_replays(network, check_fit(network, {}, max78000).memory, dict.fromkeys(network.by_name, 8))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_random_networks(random_network, max78000, seed):
    network = random_network(seed, max_channels=150, max_size=40, max_layers=10)
    try:
        memory = check_fit(network, {}, max78000).memory
    except DeviceError:
        return
    assert_replays(network, memory, dict.fromkeys(network.by_name, 8))


def test_the_replay_notices_a_wrong_offset(model, max78000):
    network = model("nascifarnet")
    text = assert_replays(network, check_fit(network, {}, max78000).memory, dict.fromkeys(network.by_name, 8))
    lines = [i for i, line in enumerate(text.splitlines()) if "in_offset" in line]
    for number in random.Random(0).sample(lines[1:], 4):
        changed = text.splitlines()
        changed[number] = "    in_offset: 0x7000"
        with pytest.raises(AssertionError):
            replay("\n".join(changed), network.in_shape, [x.out_shape[0] for x in network])


def test_a_sum_reads_interleaved_operands_and_a_copy_of_what_others_read(make_network, max78000):
    """docs/hardware.md, Sums, by hand: ``stem`` is read by a convolution and by the sum, so the sum gets a copy."""
    same = {"out_channels": 20, "kernel_size": 3}
    network = make_network(
        {"stem": same, "conv": same, "sum": {**same, "inputs": ["stem", "conv"], "eltwise": "add", "pool": "max"}}
    )
    memory = check_fit(network, {}, max78000).memory
    layers = yaml.safe_load(network_yaml(memory, dict.fromkeys(network.by_name, 8), "cifar10"))["layers"]
    assert [layer["operation"] for layer in layers] == ["conv2d", "conv2d", "passthrough", "conv2d"]
    stem, conv, copy, total = layers
    assert copy["in_sequences"] == [0] and total["in_sequences"] == [2, 1]
    assert copy["in_offset"] == stem["out_offset"]
    assert conv["write_gap"] == copy["write_gap"] == 1 and "write_gap" not in stem
    assert total["in_offset"] == copy["out_offset"] == conv["out_offset"] - 4
    assert stem["output_processors"] == copy["output_processors"] == conv["output_processors"] == total["processors"]
    assert (total["eltwise"], total["operands"], total["pool_first"]) == ("add", 2, False)
