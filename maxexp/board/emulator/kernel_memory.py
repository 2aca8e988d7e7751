"""The accelerator's kernel memories: how weights get in, and what they mean (docs/hardware.md, Kernel memory)."""

import numpy as np
from numpy.typing import NDArray

from maxexp.base.errors import BoardError
from maxexp.chip.part import Part

_COLUMN_WORDS = 4
"""Words that write one column without the express loader; the last one commits it."""


class KernelMemory:
    """Columns of bytes on each processor; after power-up their content is arbitrary."""

    def __init__(self, part: Part) -> None:
        processors, memories = part.processors.count, part.memories
        self._count, self._column_bytes = memories.kernel_columns, memories.column_bytes
        noise = np.random.default_rng(1)
        self._columns = noise.integers(0, 256, (processors, self._count, self._column_bytes), np.uint8)
        self._next = [-1] * processors
        self._stream = [bytearray() for _ in range(processors)]
        self._words: dict[tuple[int, int], list[int]] = {}

    def write(self, processor: int, offset: int, value: int, size: int, express: bool) -> None:
        """One store of the firmware.

        Args:
            processor: counted from 0 over all quadrants.
            offset: byte address within the processor's kernels.
            value: what is stored.
            size: bytes stored.
            express: whether the quadrant's express loader is on: words then continue where they stopped.

        Raises:
            BoardError: a store that neither loader knows.
        """
        if express and size == 4 and self._next[processor] >= 0:
            self._stream[processor] += value.to_bytes(4, "big")
        elif express and size == 1 and offset & 3 == 1 and value == 1:
            self._flush(processor)
            self._stream[processor].clear()
            self._next[processor] = offset >> 2
        elif not express and size == 4:
            self._write_word(processor, offset, value)
        else:
            raise BoardError(
                f"emulator: kernel memory of processor {processor}: a {size}-byte store of 0x{value:x} at "
                f"0x{offset:04x} {'with' if express else 'without'} the express loader has no known meaning"
            )

    def _flush(self, processor: int) -> None:
        """Puts the words of the express loader into columns; an incomplete last column is never stored."""
        stream, start = self._stream[processor], self._next[processor]
        count = len(stream) // self._column_bytes
        if start + count > self._count:
            raise BoardError(
                f"emulator: kernels of processor {processor} reach column {start + count - 1}; "
                f"it has {self._count} columns"
            )
        if count:
            data = np.frombuffer(bytes(stream[: count * self._column_bytes]), np.uint8)
            self._columns[processor, start : start + count] = data.reshape(count, self._column_bytes)
        # The same stream may go on.
        self._next[processor] = start + count
        del stream[: count * self._column_bytes]

    def _write_word(self, processor: int, offset: int, value: int) -> None:
        column, word = divmod(offset >> 2, _COLUMN_WORDS)
        words = self._words.setdefault((processor, column), [])
        if word != len(words) or column >= self._count or (word == 0 and value > 0xFF) or (word == 3 and value):
            raise BoardError(
                f"emulator: kernel memory of processor {processor}: 0x{value:08x} as word {word} of column "
                f"{column} has no known meaning; a column is one byte, two words, and zero"
            )
        words.append(value)
        if word == _COLUMN_WORDS - 1:
            data = words[0].to_bytes(1, "big") + words[1].to_bytes(4, "big") + words[2].to_bytes(4, "big")
            self._columns[processor, column] = np.frombuffer(data, np.uint8)
            del self._words[processor, column]

    def read(self, processor: int, offset: int) -> int:
        """A word as the firmware's check of its weights loads it: a byte, two words and zero for each column."""
        column, word = divmod(offset >> 2, _COLUMN_WORDS)
        if column >= self._count:
            raise BoardError(f"emulator: a load of column {column} of the kernels; there are {self._count}")
        self._flush(processor)
        data = self._columns[processor, column].tobytes()
        return int.from_bytes((data[:1], data[1:5], data[5:], b"")[word], "big")

    def contents(self) -> NDArray[np.uint8]:
        """All columns: uint8 (processors, columns, bytes); those that were never written are arbitrary."""
        for processor in range(len(self._stream)):
            self._flush(processor)
        return self._columns.copy()

    def kernels(self, processors: list[int], column: int, count: int, elements: int, bits: int) -> NDArray[np.int64]:
        """Kernels from a column on, in the order in which they are used.

        A column is read from its last byte to its first, a kernel from its last element to its first;
        ``8 / bits`` consecutive kernels share their bytes, the first in the lowest bits.

        Args:
            processors: whose kernels.
            column: the first column.
            count: kernels on each processor.
            elements: of one kernel.
            bits: of one element; two's complement, except that one bit means -1 or 0.

        Returns:
            (processors, count, elements).

        Raises:
            BoardError: kernels beyond the memory.
        """
        for processor in processors:
            self._flush(processor)
        shared = 8 // bits
        groups = -(-count // shared)
        columns = -(-groups * elements // self._column_bytes)
        if column + columns > self._count:
            raise BoardError(f"emulator: a layer reads kernels up to column {column + columns - 1} of {self._count}")
        stream = self._columns[processors, column : column + columns, ::-1].reshape(len(processors), -1)
        packed = stream[:, : groups * elements].reshape(len(processors), groups, 1, elements)[..., ::-1]
        shifts = (bits * np.arange(shared))[None, None, :, None]
        values = (packed.astype(np.int64) >> shifts) & ((1 << bits) - 1)
        values[values >= 1 << (bits - 1)] -= 1 << bits
        return values.reshape(len(processors), groups * shared, elements)[:, :count]
