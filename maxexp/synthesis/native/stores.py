"""A configuration as the stores that firmware makes, in their order."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maxexp.chip.part import WORD_BYTES, Part
from maxexp.synthesis.native.configuration import Configuration
from maxexp.synthesis.native.registers import Register, register_address

CONTROL, MEMORY_TIMING, LAYER_COUNT = 0x0, 0x4, 0x8
STOPPED = 0x00100008
"""Clock and express loader on, not running."""
NORMAL_TIMING = 0x40E

Store = tuple[int, int, int]
"""Address, value, bytes."""


def control_stores(x: Configuration) -> Iterator[Store]:
    """Brings the quadrants in use into a known state."""
    part = x.memory.part
    for quadrant in x.quadrants:
        base = part.quadrant_address(quadrant)
        yield base + CONTROL, STOPPED, WORD_BYTES
        yield base + MEMORY_TIMING, NORMAL_TIMING, WORD_BYTES
        yield base + LAYER_COUNT, len(x.memory.network.layers) - 1, WORD_BYTES


def kernel_blocks(x: Configuration) -> list[tuple[int, NDArray[np.uint32]]]:
    """Kernels in the packed way: address of the first column, and big-endian words of what follows without a gap."""
    part = x.memory.part
    blocks: list[tuple[int, NDArray[np.uint32]]] = []
    for processor in sorted(x.kernels):
        for first, columns in _joined(x.kernels[processor]).items():
            blocks.append((_column_address(part, processor, first), _words(columns)))
    return blocks


def _joined(kernels: dict[int, NDArray[np.uint8]]) -> dict[int, NDArray[np.uint8]]:
    """Columns by the first, those that follow one another together."""
    joined: dict[int, list[NDArray[np.uint8]]] = {}
    start = stop = -1
    for first in sorted(kernels):
        start = start if first == stop else first
        stop = first + len(kernels[first])
        joined.setdefault(start, []).append(kernels[first])
    return {first: np.concatenate(parts) for first, parts in joined.items()}


def kernel_stores(x: Configuration) -> Iterator[Store]:
    """A byte selects the first column, words follow."""
    for address, words in kernel_blocks(x):
        yield address | 1, 1, 1
        for index, word in enumerate(words.tolist()):
            yield address + WORD_BYTES * index, word, WORD_BYTES


def bias_stores(x: Configuration) -> Iterator[Store]:
    """One bias to a word."""
    for quadrant, values in x.biases.items():
        start = x.memory.part.quadrant_address(quadrant) + x.memory.part.addresses.biases
        for index, value in enumerate(values.view(np.uint8).tolist()):
            yield start + WORD_BYTES * index, value, WORD_BYTES


def register_stores(x: Configuration) -> Iterator[Store]:
    """The registers of the layers that are not 0."""
    for layer, quadrants in enumerate(x.registers):
        for quadrant, registers in quadrants.items():
            for register, value in registers.items():
                yield register_address(x.memory.part, quadrant, Register(register), layer), value, WORD_BYTES


def stores(x: Configuration) -> Iterator[Store]:
    """All of them."""
    yield from control_stores(x)
    yield from kernel_stores(x)
    yield from bias_stores(x)
    yield from register_stores(x)


def _column_address(part: Part, processor: int, column: int) -> int:
    quadrant, rank = divmod(processor, part.processors.per_quadrant)
    at = part.addresses
    return part.quadrant_address(quadrant) + at.kernels + rank * at.kernel_step + WORD_BYTES * column


def _words(columns: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Bytes of all columns one after another; the last word is filled up with zeros, which are never stored."""
    stream = columns.reshape(-1)
    return np.pad(stream, (0, -len(stream) % WORD_BYTES)).view(">u4").astype(np.uint32)
