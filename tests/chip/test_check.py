"""Every limit of docs/hardware.md, Memories and limits: who breaks it, by how much, and what to do."""

import time

import pytest

from maxexp.base.errors import DeviceError
from maxexp.chip.check import check_fit
from maxexp.chip.memory.tensors import tensor_bytes

CONV = {"out_channels": 4}


def conv(channels, **more):
    return {"out_channels": channels, "kernel_size": 1, **more}


def add(*inputs, **more):
    return {"op": "passthrough", "inputs": list(inputs), "eltwise": "add", **more}


REFUSED = [
    ({f"layer{i}": CONV for i in range(33)}, (3, 8, 8), "net: 33 layers, max78000 computes at most 32; remove 1"),
    ({"a": CONV}, (1025, 2, 2), "layer a: input channels 1,025 is 1 over the 1,024 of max78000; use fewer"),
    ({"a": conv(1028)}, (3, 2, 2), "layer a: output channels 1,028 is 4 over the 1,024 of max78000; use fewer"),
    ({"a": conv(4)}, (3, 1024, 2), "layer a: rows or columns 1,024 is 1 over the 1,023 of max78000; use smaller"),
    ({"a": {**CONV, "padding": 2}}, (3, 2, 1020), "layer a: rows or columns 1,024 is 1 over the 1,023"),
    ({"a": {**CONV, "kernel_size": 5}}, (3, 8, 8), "layer a: kernel_size 5x5; max78000 has kernels of 1x1 and 3x3"),
    ({"a": {**CONV, "kernel_size": [1, 3]}}, (3, 8, 8), "layer a: kernel_size 1x3; max78000 has kernels of 1x1 and"),
    ({"a": {**CONV, "padding": 3}}, (3, 8, 8), "layer a: padding 3x3 of a kernel of 3x3; max78000 pads by at"),
    ({"a": {**CONV, "padding": [0, 1]}}, (3, 8, 8), "layer a: padding 0x1; max78000 pads rows and columns alike"),
    ({"a": conv(4, padding=1)}, (3, 8, 8), "layer a: padding 1x1 of a kernel of 1x1; .* less than the kern"),
    (
        {"a": {**CONV, "pool": "max", "pool_size": 17}},
        (3, 40, 40),
        "layer a: pool_size 17x17; max78000 pools",
    ),
    ({"a": {**CONV, "pool": "avg", "pool_size": 1}}, (3, 8, 8), "layer a: pool_size 1x1; .* windows of 2 to 16 rows"),
    (
        {"a": {**CONV, "pool": "max", "pool_stride": 17}},
        (3, 40, 40),
        "layer a: pool_stride 17x17; max78000 has strides of 1 to 16",
    ),
    (
        {"a": {**CONV, "pool": "max", "pool_size": [2, 3]}},
        (3, 8, 8),
        "layer a: pool_stride 2x3; max78000 has one stride for both directions; set pool_stride to one",
    ),
    (
        {"a": {"op": "linear", "out_features": 4, "pool": "max"}},
        (3, 8, 8),
        "layer a: max78000 has no pooling in front of a linear layer; pool in front of a 1x1 conv2d or in a passth",
    ),
    (
        {"a": {"op": "linear", "out_features": 2}},
        (4, 16, 17),
        r"layer a: pixels times passes to flatten \(16x17x1\) 272 is 16 over the 256 of max78000; pool in",
    ),
    (
        {"a": {"op": "linear", "out_features": 1}},
        (80, 14, 14),
        r"layer a: pixels times passes to flatten \(14x14x2\) 392 is 136 over the 256",
    ),
    (
        {"a": {"op": "linear", "out_features": 2}},
        (100, 2, 2),
        "layer a: 100 channels cannot be flattened in 2 passes; make them a multiple of 8",
    ),
    (
        {"a": conv(68), "b": {"op": "passthrough", "pool": "max"}, "c": conv(2)},
        (3, 8, 8),
        "layer b: channels pooled by a passthrough layer 68 is 4 over the 64 of max78000; pool in front",
    ),
    (
        {**{f"l{i}": conv(4) for i in range(17)}, "sum": add(*(f"l{i}" for i in range(17)))},
        (4, 2, 2),
        "layer sum: 17 element-wise operands are 1 over the 16 that max78000 adds; add them in several",
    ),
    (
        {"a": conv(4), "b": conv(4), "sum": add("a", "b", "input", pool="max")},
        (4, 4, 4),
        "layer sum: 3 element-wise operands are 1 over the 2 that max78000 adds in front of a pooling",
    ),
    (
        {"a": conv(68), "b": conv(68), "c": conv(68), "sum": conv(4, inputs=["a", "b", "c"], eltwise="add")},
        (4, 2, 2),
        "layer sum: max78000 has no pooling or operation behind a sum of 3 inputs in 2 passes; add in a passthrough",
    ),
    (
        {"a": conv(4), "sum": {"op": "linear", "out_features": 2, "inputs": ["a", "input"], "eltwise": "add"}},
        (4, 2, 2),
        "layer sum: max78000 cannot flatten a sum; add in a passthrough layer in front of it",
    ),
    (
        {"a": conv(4)},
        (4, 91, 91),
        r"input 4x91x91: its 8,281 pixels are 89 over the 8,192 of 4 channels .* max78000 holds; .*smaller.*FIFO",
    ),
    ({"a": conv(4)}, (130, 60, 60), "input 130x60x60: its 3,600 pixels are 870 over the 2,730 of 130 channels"),
    (
        {"a": conv(64), "b": conv(4)},
        (3, 65, 65),
        # a lies on all instances, also on that of the input: 2 * 4*65*65.
        "net: no memory map was found: the tensors alive at layer a are at best 1,032 bytes over the 32,768",
    ),
    (
        {"a": conv(128), "b": conv(64)},
        (64, 56, 56),
        # 64x56x56 and 128x56x56 lie on all instances: 4*56*56 and twice that.
        r"layer a: input \(64x56x56\) and a \(128x56x56\) take 37,632 bytes .* 4,864 over",
    ),
    (
        {"a": conv(8), "b": conv(8), "sum": add("a", "b"), "d": conv(2)},
        (3, 60, 60),
        # b is written between the words of a's copy for the sum, on the same processors: 3 * 4*60*60.
        r"layer b: a \(8x60x60\) and a-for-sum \(8x60x60\) and b .* take 43,200 bytes .* 10,432 over the 32,768",
    ),
    ({"a": {**conv(10), "wide": True}}, (4, 46, 46), r"layer a: a \(10x46x46\) take 33,856 bytes .* 1,088 over"),
    (
        {"a": conv(600), "b": conv(4)},
        (4, 2, 2),
        "layer a: its 600 biases do not fit; the network's 604 are 88 over .* 4 bias memories of 512 bytes",
    ),
    (
        {f"l{i}": conv(300) for i in range(5)},
        (4, 2, 2),
        "layer l4: its 300 biases do not fit; the network's 1,500 are 88 over .* fewer channels, or set bias: false",
    ),
    (
        {"a": {"out_channels": 256, "bias": False}, "b": {"out_channels": 256, "bias": False}},
        (3, 4, 4),
        "net: 596,736 bytes of weights are 154,368 over the 442,368 of max78000; the largest layer is b",
    ),
]


@pytest.mark.parametrize(("layers", "in_shape", "message"), REFUSED, ids=range(len(REFUSED)))
def test_limit(make_network, max78000, layers, in_shape, message):
    network = make_network(layers, in_shape)
    with pytest.raises(DeviceError, match=message) as caught:
        check_fit(network, {}, max78000)
    assert "\n" not in str(caught.value)


def test_just_within_the_limits(make_network, max78000):
    at_limits = [
        ({f"layer{i}": CONV for i in range(32)}, (3, 8, 8)),
        ({"a": {"op": "linear", "out_features": 2}}, (64, 16, 16)),
        ({"a": {"op": "linear", "out_features": 2}}, (128, 8, 16)),
        ({"a": conv(4)}, (4, 90, 90)),
        ({"a": conv(64), "b": conv(4)}, (3, 64, 64)),
        ({f"l{i}": conv(256) for i in range(6)} | {"l6": conv(128, bias=False)}, (4, 2, 2)),
        ({"a": conv(68), "b": conv(68), "sum": conv(4, inputs=["a", "b"], eltwise="add")}, (4, 2, 2)),
        ({"a": conv(68), "b": conv(68), "c": conv(68), "sum": add("a", "b", "c"), "d": conv(2)}, (4, 2, 2)),
        ({"a": conv(68), "b": {"op": "passthrough", "pool": "max", "pool_size": 8}, "c": conv(2)}, (3, 8, 8)),
        ({"a": conv(512), "b": conv(4)}, (4, 2, 2)),
    ]
    for layers, in_shape in at_limits:
        check_fit(make_network(layers, in_shape), {}, max78000)


def test_few_bits_and_a_missing_channel_in_a_pass(make_network, max78000):
    """66 channels are 33 and 33 on 36 processors: the synthesizer would lose kernels that share a byte."""
    network = make_network({"a": conv(66), "b": conv(2)}, (3, 4, 4))
    check_fit(network, {}, max78000)
    with pytest.raises(DeviceError, match="layer b: 66 channels in 2 passes cannot have 4-bit weights; make them a"):
        check_fit(network, {"b": 4}, max78000)
    check_fit(make_network({"a": conv(72), "b": conv(2)}, (3, 4, 4)), {"b": 4}, max78000)


def test_fewer_bits_make_a_network_fit(make_network, max78000):
    network = make_network({"a": {"out_channels": 256}, "b": {"out_channels": 256}}, (3, 4, 4))
    with pytest.raises(DeviceError, match="quantization.weight_bits"):
        check_fit(network, {}, max78000)
    assert check_fit(network, {"b": 4}, max78000).weight_bytes == 3 * 256 * 9 + 256 * 256 * 9 // 2


def test_width_brings_a_network_within_the_limits(model, max78000):
    with pytest.raises(DeviceError, match="model.width"):
        check_fit(model("nascifarnet", "model.width=1.5"), {}, max78000)
    check_fit(model("nascifarnet", "model.width=0.75"), {}, max78000)


def test_max78002_has_other_limits(make_network, model, max78000, max78002):
    allowed = [
        ({f"layer{i}": CONV for i in range(33)}, (3, 8, 8)),
        ({"a": {"out_channels": 256}, "b": {"out_channels": 256}}, (3, 4, 4)),
        ({"a": conv(68), "b": {"op": "passthrough", "pool": "max"}, "c": conv(2)}, (3, 8, 8)),
        ({"a": conv(4)}, (4, 91, 91)),
    ]
    for layers, in_shape in allowed:
        network = make_network(layers, in_shape)
        check_fit(network, {}, max78002)
        with pytest.raises(DeviceError, match="max78000"):
            check_fit(network, {}, max78000)
    behind_sum = {"a": conv(8), "b": conv(8), "sum": conv(4, inputs=["a", "b"], eltwise="add")}
    check_fit(make_network(behind_sum), {}, max78000)
    with pytest.raises(DeviceError, match="layer sum: max78002 adds no biases .*; set bias: false, or add in"):
        check_fit(make_network(behind_sum), {}, max78002)
    behind_sum["sum"]["bias"] = False
    check_fit(make_network(behind_sum), {}, max78002)


def test_data_bytes_are_the_peak_of_live_tensors(make_network, max78000):
    """By hand: 4 bytes a pixel and instance; 3 channels lie on 1 instance, 32 on 8, 64 on 16, 128 on 16 twice."""
    assert tensor_bytes((3, 32, 32), max78000) == (4096, 1)
    assert tensor_bytes((32, 32, 32), max78000) == (4096, 8)
    assert tensor_bytes((128, 8, 8), max78000) == (512, 16)
    assert tensor_bytes((10, 1, 1), max78000, wide=True) == (16, 3)
    network = make_network({"a": conv(32), "b": conv(64), "c": {**conv(4), "pool": "max"}}, (3, 32, 32))
    assert check_fit(network, {}, max78000).data_bytes == 4096 * (8 + 16)


def test_a_refusal_takes_well_under_a_second(model, max78000):
    network = model("simplenet", "model.width=1.1")
    start = time.perf_counter()
    with pytest.raises(DeviceError):
        check_fit(network, {}, max78000)
    assert time.perf_counter() - start < 0.5
