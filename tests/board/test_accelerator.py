"""Layers programmed by hand, against a plain computation; and the stores of real firmware, against its maker."""

import json
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from maxexp.base.errors import BoardError
from maxexp.board.emulator.accelerator import Accelerator
from maxexp.chip.numbers.arithmetic import round_shift
from maxexp.chip.parts.max78000 import PART as MAX78000
from tests.board.programming import (
    BIAS_QUADRANT,
    QUADRANTS,
    HandLayer,
    kernel_stores,
    output_addresses,
    place_planes,
    program,
    register_stores,
    start,
)

DRAW = np.random.default_rng(7)
FUNCTIONS = {0: "sub", 1: "add", 2: "or", 3: "xor"}


def numbers(*shape, bits=8):
    return DRAW.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape)


def pool(x: HandLayer, values: torch.Tensor) -> torch.Tensor:
    if x.pool == (1, 1):
        return values[..., :: x.stride, :: x.stride]
    if not x.average:
        return F.max_pool2d(values.double(), x.pool, x.stride).long()
    total = F.avg_pool2d(values.double(), x.pool, x.stride, divisor_override=1)
    return (total / (x.pool[0] * x.pool[1])).trunc().long()


def combine(x: HandLayer, operands: torch.Tensor) -> torch.Tensor:
    total = operands[0]
    for other in operands[1:]:
        name = FUNCTIONS[x.eltwise]
        if name in ("add", "sub"):
            total = total + other if name == "add" else total - other
        else:
            total = total | other if name == "or" else total ^ other
    return total.clamp(-128, 127)


def expected(x: HandLayer, values: np.ndarray) -> np.ndarray:
    """Outputs of the layer by torch and by the arithmetic of the integer network: (outputs, rows, cols)."""
    operands = torch.from_numpy(values).reshape(x.operands, x.inputs, x.rows, x.cols)
    y = combine(x, pool(x, operands)) if x.pool_first else pool(x, combine(x, operands)[None])[0]
    if x.weight is None:
        return y.numpy()
    weight = torch.from_numpy(x.weight)
    if x.flatten:
        y, weight = y.reshape(-1, 1, 1), weight.reshape(len(weight), -1, 1, 1)
    total = F.conv2d(y[None].double(), weight.double(), padding=x.padding)[0].long()
    if x.bias is not None:
        total += 128 * torch.from_numpy(x.bias)[:, None, None]
    if x.wide:
        return total.numpy()
    y = round_shift(total, x.shift)
    y = y.clamp(0) if x.relu else y
    return (y.abs().clamp(max=127) if x.absolute else y).numpy()


def computed(x: HandLayer, stores) -> np.ndarray:
    """Outputs that the accelerator leaves in its data memories, flat."""
    accelerator = Accelerator(MAX78000)
    for address, value, size in stores:
        accelerator.write(address, value, size)
    pixels = expected(x, np.zeros((x.operands * x.inputs, x.rows, x.cols), np.int64))[0].size
    raw = [(accelerator.read(address, size), size) for address, size in output_addresses(x, pixels)]
    return np.array([value - (1 << 8 * size) if value >> (8 * size - 1) else value for value, size in raw])


def kernel(outputs, inputs, size=3, bits=8):
    return numbers(outputs, inputs, size, size, bits=bits)


LAYERS = {
    "3x3": HandLayer(3, 9, 7, kernel(8, 3), numbers(8), padding=(1, 1), shift=-3, relu=True),
    "no padding": HandLayer(5, 6, 6, kernel(6, 5), padding=(0, 0), shift=-4, absolute=True),
    "padding of 2": HandLayer(5, 6, 6, kernel(6, 5), padding=(2, 2), shift=2),
    "1x1": HandLayer(20, 4, 5, kernel(30, 20, 1), numbers(30), shift=1, first_in=4, first_out=20, column=37),
    "max pool": HandLayer(4, 9, 8, kernel(4, 4), padding=(1, 1), pool=(3, 2), stride=2, shift=-3),
    "avg pool": HandLayer(4, 9, 8, kernel(4, 4), padding=(1, 1), pool=(2, 3), stride=1, average=True, shift=-3),
    "sub-sampling": HandLayer(4, 9, 8, kernel(4, 4, 1), stride=3),
    "left shift": HandLayer(2, 3, 3, kernel(2, 2, 1, 1), shift=9, bits=1),
    "input passes": HandLayer(130, 3, 3, kernel(8, 130), numbers(8), padding=(1, 1), shift=-6, column=4),
    "output passes": HandLayer(6, 3, 3, kernel(100, 6), numbers(100), padding=(1, 1), shift=-4, relu=True),
    "both passes": HandLayer(100, 2, 3, kernel(140, 100, 1), numbers(140), shift=-4),
    "last biases": HandLayer(6, 3, 3, kernel(100, 6), numbers(100), padding=(1, 1), shift=-4, bias_entry=412),
    "unaligned": HandLayer(7, 4, 4, kernel(9, 7), numbers(9), padding=(1, 1), shift=-4, first_in=5, first_out=18),
    "gap": HandLayer(7, 4, 4, kernel(9, 7), padding=(1, 1), shift=-4, gap=2),
    "4 bits": HandLayer(6, 5, 5, kernel(10, 6, bits=4), numbers(10), bits=4, padding=(1, 1), shift=1),
    "2 bits": HandLayer(6, 5, 5, kernel(11, 6, bits=2), numbers(11), bits=2, padding=(1, 1), shift=3),
    "1 bit": HandLayer(6, 5, 5, kernel(13, 6, bits=1), numbers(13), bits=1, padding=(1, 1), shift=4),
    "4 bits, passes": HandLayer(70, 3, 3, kernel(70, 70, 1, 4), numbers(70), bits=4, shift=-1),
    "wide": HandLayer(6, 3, 3, kernel(10, 6), numbers(10), padding=(1, 1), wide=True),
    "wide, passes": HandLayer(6, 2, 2, kernel(70, 6, 1), wide=True, gap=0),
    "linear": HandLayer(50, 1, 1, kernel(12, 50, 1), numbers(12), wide=True),
    "few words flattened": HandLayer(9, 2, 3, numbers(7, 9, 2, 3), numbers(7), flatten=True, shift=-4),
    "flatten engine": HandLayer(9, 5, 4, numbers(7, 9, 5, 4), numbers(7), flatten=True, wide=True),
    "flatten engine, passes": HandLayer(70, 3, 3, numbers(80, 70, 3, 3), numbers(80), flatten=True, wide=True),
    "flatten engine, 2 bits": HandLayer(9, 5, 4, numbers(7, 9, 5, 4, bits=2), bits=2, flatten=True, wide=True),
    "one dimension": HandLayer(5, 20, 1, numbers(6, 5, 7, 1), numbers(6), padding=(2, 0), shift=-5),
    "passthrough": HandLayer(22, 4, 4, pool=(2, 2), stride=2, first_in=32, first_out=32),
    "passthrough of passes": HandLayer(100, 3, 3, gap=1),
    "three operands": HandLayer(8, 4, 4, operands=3, eltwise=1),
    "operands of passes": HandLayer(80, 3, 3, kernel(4, 80, 1), operands=2, eltwise=1, shift=-5),
}
for code, name in FUNCTIONS.items():
    for first in (False, True):
        when = "pooled first" if first else "pooled last"
        pooling = {"pool": (2, 2), "stride": 2, "pool_first": first, "average": code % 2 == 0}
        LAYERS[f"{name}, {when}"] = HandLayer(8, 4, 6, operands=2, eltwise=code, **pooling)
        LAYERS[f"{name}, {when}, convolved"] = HandLayer(
            8, 4, 6, kernel(5, 8), padding=(1, 1), shift=-4, operands=2, eltwise=code, **pooling
        )


@pytest.mark.parametrize("express", [True, False], ids=["express", "plain"])
@pytest.mark.parametrize("name", LAYERS)
def test_one_layer(name, express):
    x = LAYERS[name]
    values = numbers(x.operands * x.inputs, x.rows, x.cols)
    result = computed(x, program(x, values, express) + start())
    np.testing.assert_array_equal(result, expected(x, values).reshape(-1))


def test_planes():
    x = HandLayer(3, 5, 6, kernel(4, 3), padding=(1, 1), shift=-2)
    values = numbers(3, 5, 6)
    stores = program(x, values)[: -values.size] + place_planes(values, x.in_word)
    # One processor in each data memory: the kernels and the enabled processors move there.
    moved = []
    for address, value, size in stores:
        offset = address - QUADRANTS[0]
        if 0x80000 <= offset < 0xC0000:
            address += offset // 0x4000 % 16 * 3 * 0x4000
        elif offset == 0x10 + 4 * 32 * 14:
            value = 0x0111 << 16 | 0x0111
        elif offset % 0x400000 == 0x10 + 4 * 32 * 11:
            value |= 0x40
        moved.append((address, value, size))
    np.testing.assert_array_equal(computed(x, moved + start()), expected(x, values).reshape(-1))


def changed(stores, register, value, quadrant=None):
    """The stores, with one register of layer 0 set to a value at the end."""
    chosen = QUADRANTS if quadrant is None else [QUADRANTS[quadrant]]
    return stores + [(base + 0x10 + 4 * 32 * register, value, 4) for base in chosen]


@pytest.mark.parametrize(
    ("register", "value", "says"),
    [
        (16, 5, "STREAM1 = 0x00000005"),
        (15, 1 << 28, "POST = 0x10000000"),
        (15, 1 << 30, "POST"),
        (15, 2 << 24, "ONED"),
        (11, 0x120, "LCTL = 0x00000120"),
        (13, 3, "TPTR"),
        (8, 0x1000, "WPTR_MOFFS"),
        (2, 2 << 8, "ONED"),
        (12, 0x10, "MCNT"),
        (14, 0x0003000F, "ENA"),
        (6, 0x1000 | 15 << 13, "beyond the last data memory"),
        (10, 0x1FF0, "beyond the 8192 words"),
        (12, 8 * 767 << 16 | 8 * 767 + 8 * 7, "column"),
        (0, 0x103FF, "output of"),
    ],
)
def test_what_is_not_known_is_refused(register, value, says):
    x = HandLayer(4, 6, 6, kernel(8, 4), padding=(1, 1))
    with pytest.raises(BoardError, match=says):
        computed(x, changed(program(x, numbers(4, 6, 6)), register, value) + start())


@pytest.mark.parametrize(("outputs", "entry", "end"), [(8, 505, 512), (100, 420, 523)])
def test_biases_beyond_the_memory_are_refused(outputs, entry, end):
    """Of the 104 slots of 100 outputs four need none, but these lack more."""
    x = HandLayer(4, 6, 6, kernel(outputs, 4), numbers(outputs), padding=(1, 1))
    stores = changed(program(x, numbers(4, 6, 6)), 15, 1 << 12 | entry, quadrant=BIAS_QUADRANT)
    with pytest.raises(BoardError, match=f"biases end at {end}; there are 512 entries"):
        computed(x, stores + start())


def test_quadrants_must_agree():
    x = HandLayer(40, 3, 3, kernel(8, 40), padding=(1, 1))
    with pytest.raises(BoardError, match="quadrant 1: RCNT"):
        computed(x, changed(program(x, numbers(40, 3, 3)), 0, 0x10005, quadrant=1) + start())


def test_processors_that_nobody_listens_to_are_lost():
    x = HandLayer(40, 3, 3, kernel(8, 40), padding=(1, 1), shift=-5)
    values = numbers(40, 3, 3)
    result = computed(x, changed(program(x, values), 11, 0x920, quadrant=0) + start())
    values[16:] = 0
    np.testing.assert_array_equal(result, expected(x, values).reshape(-1))


@pytest.mark.parametrize("store", [(0x50100000, 0x8009, 4), (0x50100000, 1 << 13 | 9, 4)], ids=["fifo", "rounding"])
def test_modes_that_are_not_modelled_are_refused(store):
    with pytest.raises(BoardError, match="without a model"):
        Accelerator(MAX78000).write(*store)


@pytest.mark.parametrize("address", [0x50000008, 0x50110000, 0x5010000C, 0x50104000, 0x50900001, 0x50108800])
def test_addresses_without_meaning_are_refused(address):
    with pytest.raises(BoardError, match=f"0x{address:08x}"):
        Accelerator(MAX78000).write(address, 1)


def test_stores_of_the_makers_firmware(ai8x):
    golden = json.loads((ai8x / "cifar10-nas.golden.json").read_text())
    accelerator = Accelerator(MAX78000)
    trace = np.load(ai8x / "cifar10-nas.trace.npz")
    cycles = 0
    for address, value, size in zip(trace["address"], trace["value"], trace["size"], strict=True):
        cycles += accelerator.write(int(address), int(value), int(size))
    words = [accelerator.read(0x50404000 + 0x8000 * (i // 4) + 4 * (i % 4)) for i in range(10)]
    assert [word - (word >> 31 << 32) for word in words] == golden["logits_int32"]
    assert accelerator.layer_cycles == [golden["latency_cycles"]["startup"], *golden["latency_cycles"]["layers"]]
    assert cycles == golden["latency_cycles"]["total"]


def cycles_of_a_single_output(channels: int, rows: int, cols: int) -> int:
    """Of a flattening layer behind a 1x1 convolution, as the accelerator counts them."""
    first = HandLayer(3, rows, cols, kernel(channels, 3, 1), shift=-3)
    last = HandLayer(channels, rows, cols, numbers(1, channels, rows, cols), flatten=True, wide=True)
    last.in_word, last.out_word, last.column = first.out_word, 0, 100
    stores = program(first, numbers(3, rows, cols)) + kernel_stores(last) + register_stores(last, 1)
    accelerator = Accelerator(MAX78000)
    for store in [*stores, *((base + 8, 1, 4) for base in QUADRANTS), *start()]:
        accelerator.write(*store)
    return accelerator.layer_cycles[-1]


@pytest.mark.parametrize(("rows", "cols"), [(5, 4), (4, 5), (2, 3), (1, 20)])
def test_a_single_output_takes_a_cycle_more_for_each_row_that_it_flattens(rows, cols):
    """docs/hardware.md, Latency by hand: an area of 1 word, 2 cycles each to read, 1 to write; ko = 1 and mp = 1."""
    engine = 1 if rows * cols > 16 else 0
    assert cycles_of_a_single_output(8, rows, cols) == engine + rows * (2 * cols + cols + 1)


def test_but_not_where_its_input_has_several_passes():
    assert cycles_of_a_single_output(72, 3, 4) == 1 + 3 * (2 * 2 * 4 + 2 * 4)


def test_cycles_that_no_register_tells_are_refused():
    x = HandLayer(8, 3, 4, numbers(1, 8, 3, 4), flatten=True, wide=True)
    with pytest.raises(BoardError, match="cycles depend on the rows"):
        computed(x, program(x, numbers(8, 3, 4)) + start())


def random_layer(draw: random.Random) -> HandLayer:
    """Any layer that the registers can express, of at most 140 channels."""
    channels = [draw.choice([1, 3, 4, 20, 64, 65, 100, 140]) for _ in range(2)]
    rows, cols = draw.randint(3, 7), draw.randint(3, 7)
    first_in, first_out = (4 * draw.randint(0, (64 - min(64, n)) // 4) for n in channels)
    operands = draw.choice([1, 1, 2, 3])
    keys = {"operands": operands, "eltwise": draw.randint(0, 3) if operands > 1 else 0}
    if draw.random() < 0.5:
        keys |= {"pool": (draw.randint(1, 3), 2), "stride": draw.randint(1, 2), "average": draw.random() < 0.5}
        keys["pool_first"] = operands > 1 and draw.random() < 0.5
    if draw.random() < 0.2:
        return HandLayer(channels[0], rows, cols, first_in=first_in, first_out=first_in, **keys)
    bits = draw.choice([8, 8, 4, 2, 1])
    keys |= {"bits": bits, "first_in": first_in, "first_out": first_out, "column": 4 * draw.randint(0, 40)}
    if draw.random() < 0.2:
        # The cycles of a single output are not known from one layer.
        weight = numbers(max(2, channels[1]), channels[0], rows, cols, bits=bits)
        keys = {k: v for k, v in keys.items() if k not in ("operands", "eltwise", "pool", "stride", "pool_first")}
        return HandLayer(channels[0], rows, cols, weight, flatten=True, wide=draw.random() < 0.5, shift=-5, **keys)
    size = draw.choice([1, 3])
    padding = draw.randint(0 if size == 1 or "pool" not in keys else 1, size - 1)
    weight = numbers(channels[1], channels[0], size, size, bits=bits)
    bias = numbers(channels[1]) if draw.random() < 0.5 else None
    keys |= {"relu": draw.random() < 0.5, "shift": draw.randint(-7, 2), "bias_entry": draw.randint(0, 300)}
    return HandLayer(channels[0], rows, cols, weight, bias, padding=(padding, padding), **keys)


@pytest.mark.parametrize("seed", range(40))
def test_random_layers(seed):
    x = random_layer(random.Random(seed))
    values = numbers(x.operands * x.inputs, x.rows, x.cols)
    np.testing.assert_array_equal(computed(x, program(x, values) + start()), expected(x, values).reshape(-1))
