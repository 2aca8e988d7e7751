"""One layer of the accelerator programmed by hand: the stores that firmware would make (docs/hardware.md, Data
layout, 10.2, 10.3).

Written in plain loops from the description, to be checked against, not from, the emulator's decoding.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

Store = tuple[int, int, int]
"""Address, value, bytes."""

QUADRANTS = [0x50100000 + q * 0x400000 for q in range(4)]
RUNNING, WAITING = 0x00100009, 0x00100809
BIAS_QUADRANT = 2


@dataclass
class HandLayer:
    """A layer and where things are.

    Attributes:
        weight: (outputs, inputs, rows, cols) integers; None without a convolution.
        bias: (outputs,) integers or None.
        inputs: channels of one operand.
        rows, cols: of the input, or of the map that a flattening layer reads.
        first_in, first_out: first processor of input and output.
        in_word, out_word: first word in the data memories.
    """

    inputs: int
    rows: int
    cols: int
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    bits: int = 8
    shift: int = 0
    padding: tuple[int, int] = (0, 0)
    pool: tuple[int, int] = (1, 1)
    stride: int = 1
    average: bool = False
    operands: int = 1
    eltwise: int = 0
    pool_first: bool = False
    flatten: bool = False
    relu: bool = False
    absolute: bool = False
    wide: bool = False
    gap: int = 0
    first_in: int = 0
    first_out: int = 0
    in_word: int = 0
    out_word: int = 0x1000
    column: int = 0
    bias_entry: int = 0

    @property
    def passes(self) -> int:
        return ceil(self.inputs / 64)

    @property
    def per_pass(self) -> int:
        """Processors of the input."""
        return _per_pass(self.inputs)

    @property
    def outputs(self) -> int:
        return self.inputs if self.weight is None else len(self.weight)


def _per_pass(channels: int) -> int:
    passes = ceil(channels / 64)
    used = ceil(channels / passes)
    return used if passes == 1 else min(64, 4 * ceil(used / 4))


def word_address(processor: int, word: int) -> int:
    """Of a word in the data memory of a processor."""
    quadrant, local = divmod(processor, 16)
    return QUADRANTS[quadrant] + 0x300000 + local // 4 * 0x8000 + 4 * word


def place(values: np.ndarray, first: int, word: int, operands: int = 1) -> list[Store]:
    """Bytes of (operands * channels, rows, cols) in the order of pixel, pass, operand."""
    channels, rows, cols = len(values) // operands, *values.shape[1:]
    passes, per_pass = ceil(channels / 64), _per_pass(channels)
    stores = []
    for operand in range(operands):
        for channel in range(channels):
            level, rank = divmod(channel, per_pass)
            for pixel in range(rows * cols):
                at = word + (pixel * passes + level) * operands + operand
                byte = int(values[operand * channels + channel].flat[pixel]) & 0xFF
                stores.append((word_address(first + rank, at) + (first + rank) % 4, byte, 1))
    return stores


def place_planes(values: np.ndarray, word: int) -> list[Store]:
    """Bytes of (channels, rows, cols), each channel in a data memory of its own."""
    stores = []
    for channel, plane in enumerate(values):
        for index, value in enumerate(plane.flat):
            stores.append((word_address(4 * channel, word) + index, int(value) & 0xFF, 1))
    return stores


def kernel_stores(x: HandLayer, express: bool = True) -> list[Store]:
    """Kernels: for each processor, all outputs of an input pass; bytes from a column's last to its first."""
    assert x.weight is not None
    pixels = x.rows * x.cols if x.flatten else 1
    weight = (
        x.weight.reshape(len(x.weight), x.inputs, pixels, -1)
        if x.flatten
        else x.weight[:, :, None].reshape(len(x.weight), x.inputs, 1, -1)
    )
    size, shared = weight.shape[-1], 8 // x.bits
    zero = np.zeros(size, int)
    stores = []
    for rank in range(x.per_pass):
        kernels = [zero] * (x.first_out % 4 * x.passes * pixels)
        for output in range(len(weight)):
            for pixel in range(pixels):
                for level in range(x.passes):
                    channel = level * x.per_pass + rank
                    kernels.append(weight[output, channel, pixel] if channel < x.inputs else zero)
        if not x.flatten:
            unused = ceil(len(weight) / 64) * _per_pass(len(weight)) - len(weight)
            kernels += [zero] * (unused * x.passes)
        kernels += [zero] * (-len(kernels) % shared)
        stream = []
        for first in range(0, len(kernels), shared):
            for element in reversed(range(size)):
                byte = 0
                for i in range(shared):
                    byte |= (int(kernels[first + i][element]) & (2**x.bits - 1)) << (i * x.bits)
                stream.append(byte)
        stream += [0] * (-len(stream) % 9)
        columns = [stream[i : i + 9][::-1] for i in range(0, len(stream), 9)]
        stores += _load(x.first_in + rank, x.column, columns, express)
    return stores


def _load(processor: int, column: int, columns: list[list[int]], express: bool) -> list[Store]:
    base = QUADRANTS[processor // 16] + 0x80000 + processor % 16 * 0x4000
    if not express:
        stores = []
        for index, c in enumerate(columns):
            words = [c[0], int.from_bytes(bytes(c[1:5]), "big"), int.from_bytes(bytes(c[5:9]), "big"), 0]
            stores += [(base + 16 * (column + index) + 4 * i, word, 4) for i, word in enumerate(words)]
        return stores
    data = bytes(byte for c in columns for byte in c)
    data += bytes(-len(data) % 4)
    words = [int.from_bytes(data[i : i + 4], "big") for i in range(0, len(data), 4)]
    start = base + 4 * column
    return [(start | 1, 1, 1)] + [(start + 4 * i, word, 4) for i, word in enumerate(words)]


def register_stores(x: HandLayer, index: int = 0) -> list[Store]:
    """The layer's registers in all four quadrants; zeros are not written."""
    stores = []
    used = range(x.first_in, x.first_in + x.per_pass)
    for quadrant, base in enumerate(QUADRANTS):
        mask = sum(1 << (p % 16) for p in used if p // 16 == quadrant)
        for number, value in _registers(x, quadrant, mask).items():
            if value:
                stores.append((base + 0x10 + 4 * (32 * number + index), value, 4))
    return stores


def _registers(x: HandLayer, quadrant: int, mask: int) -> dict[int, int]:
    """Values by register number."""
    convolves = x.weight is not None
    size = (1, 1) if x.weight is None or x.flatten else x.weight.shape[2:]
    rows, cols = (1, 1) if x.flatten else (x.rows, x.cols)
    pooling = x.pool != (1, 1)
    two_passes, words = x.outputs > 64, 4 if x.wide else 1
    line = (cols - x.pool[1]) // x.stride + 1 + 2 * x.padding[1] - size[1]
    first_out = x.first_out if convolves else _quadrant_start(x, quadrant)
    registers = {
        0: rows - 1 + 2 * x.padding[0] | x.padding[0] << 16,
        1: cols - 1 + 2 * x.padding[1] | x.padding[1] << 16,
        2: _operands(x, size, pooling),
        3: x.pool[0] - 1,
        4: x.pool[1] - 1,
        5: x.stride - 1,
        6: x.out_word | first_out // 4 << 13,
        7: int(size == (1, 1)) if convolves else 0x2000,
        8: 0x2000 if convolves else 0,
        9: words * (x.gap + 1) if two_passes else 0,
        10: x.in_word,
        11: 0x820 | pooling << 7 | (not x.average) << 8 | x.relu << 9 | x.wide << 16,
        13: line if size == (3, 3) else 0,
        14: mask << 16 | mask if convolves else mask,
        15: {8: 0, 1: 1, 2: 2, 4: 3}[x.bits] << 22 | x.absolute << 26 | (abs(x.shift) | (x.shift < 0) << 4) << 13,
    }
    return _convolution(x, quadrant, size, registers) if convolves else _passthrough(x, registers)


def _operands(x: HandLayer, size: tuple[int, ...], pooling: bool) -> int:
    """The register of kernel length and element-wise operation."""
    if x.operands == 1:
        return {(1, 1): 1 << 8, (3, 3): 0}.get(tuple(size), size[0] << 8 | 1 << 12)
    kernel = 1 << 8 if x.weight is not None and size == (1, 1) else 0
    combined = 1 << 13 | x.eltwise << 14 | (x.operands - 1) << 18 | (pooling and x.pool_first) << 16
    return kernel | combined | (x.weight is not None) << 17


def _passthrough(x: HandLayer, registers: dict[int, int]) -> dict[int, int]:
    used = range(x.first_in, x.first_in + x.per_pass)
    busiest = max(sum(p // 16 == quadrant for p in used) for quadrant in range(4))
    registers[2] |= (busiest - 1) // 4
    registers[12] = (x.passes - 1) * 8
    registers[15] = (3 if x.operands == 1 else 1) << 24
    registers[20] = x.gap << 4 | x.passes - 1
    return registers


def _convolution(x: HandLayer, quadrant: int, size: tuple[int, ...], registers: dict[int, int]) -> dict[int, int]:
    used = range(x.first_in, x.first_in + x.per_pass)
    passes = x.passes * (x.rows * x.cols if x.flatten else 1)
    lanes, out_passes = x.first_out % 4, ceil(x.outputs / 64)
    positions = _per_pass(x.outputs) + lanes
    slots = lanes + x.outputs if out_passes == 1 or x.flatten else out_passes * positions
    listened = {p // 16 for p in used} | ({BIAS_QUADRANT} if x.bias is not None else set())
    if quadrant == 0:
        registers[11] |= sum(1 << q for q in listened - {0}) << 12
    if x.bias is not None and quadrant == BIAS_QUADRANT:
        registers[15] |= 1 << 12 | x.bias_entry
    start, byte = divmod(9 * x.column, size[0] * size[1])
    registers[2] |= byte << 4
    registers[12] = 8 * start << 16 | 8 * start + (slots * passes - 1) * x.bits
    registers[20] = (positions - 1) * x.bits << 8 | (out_passes * (x.gap + 1) - 1) << 4 | (passes - 1) & 15
    if passes > 16:
        registers[13] = (passes - 1) << 16 | 2 * (passes - 1) + 1
        registers[15] |= 1 << 27 | (passes - 1) >> 4 << 18
    return registers


def _quadrant_start(x: HandLayer, quadrant: int) -> int:
    """First output processor in a quadrant, of a layer that copies."""
    own = [p for p in range(x.first_out, x.first_out + x.per_pass) if p // 16 == quadrant]
    return own[0] if own else 0


def program(x: HandLayer, values: np.ndarray, express: bool = True) -> list[Store]:
    """All stores that set up one layer and its input: (operands * channels, rows, cols)."""
    stopped = 0x00100008 if express else 0x8
    stores = [(base + offset, value, 4) for base in QUADRANTS for offset, value in ((0, stopped), (4, 0x40E))]
    stores += [(base + 8, 0, 4) for base in QUADRANTS]
    if x.weight is not None:
        stores += kernel_stores(x, express)
    if x.bias is not None:
        entry = x.bias_entry + x.first_out % 4 * ceil(x.outputs / 64)
        stores += [
            (QUADRANTS[BIAS_QUADRANT] + 0x8000 + 4 * (entry + i), int(b) & 0xFF, 4) for i, b in enumerate(x.bias)
        ]
    return stores + register_stores(x) + place(values, x.first_in, x.in_word, x.operands)


def start() -> list[Store]:
    """Let the other quadrants wait for the first, and start that."""
    return [(base, WAITING, 4) for base in QUADRANTS[1:]] + [(QUADRANTS[0], RUNNING, 4)]


def output_addresses(x: HandLayer, pixels: int) -> list[tuple[int, int]]:
    """(address, bytes) of each output value, by channel and pixel."""
    passes, per_pass = ceil(x.outputs / 64), _per_pass(x.outputs)
    words = 4 if x.wide else 1
    addresses = []
    for channel in range(x.outputs):
        level, rank = divmod(channel, per_pass)
        processor = x.first_out + rank
        for pixel in range(pixels):
            word = x.out_word + (pixel * passes + level) * words * (x.gap + 1)
            lane = processor % 4
            address = word_address(processor, word)
            addresses.append((address + 4 * lane, 4) if x.wide else (address + lane, 1))
    return addresses
