"""The accelerator's data memories: where pixels are (docs/hardware.md, Data layout)."""

import mmap

import numpy as np
from numpy.typing import NDArray

from maxexp.base.errors import BoardError
from maxexp.board.emulator.layer_settings import LayerSettings
from maxexp.chip.part import WORD_BYTES, Part


class DataMemory:
    """The data memory instances of all quadrants.

    Attributes:
        instances: the bytes of each, shared with the processor that runs the firmware.
    """

    def __init__(self, part: Part) -> None:
        size = part.memories.instance_bytes
        # Whole pages, which the processor's emulation can map; after power-up their content is arbitrary.
        self.instances = [mmap.mmap(-1, size) for _ in range(part.processors.instances)]
        noise = np.random.default_rng(78000)
        for memory in self.instances:
            memory[:] = noise.bytes(size)
        self._words = part.memories.instance_words
        self._lanes, self._per_quadrant = part.processors.per_instance, part.processors.per_quadrant
        self._bytes = [np.frombuffer(memory, np.uint8).reshape(-1, WORD_BYTES) for memory in self.instances]

    def read(self, x: LayerSettings) -> NDArray[np.int64]:
        """A layer's input.

        Returns:
            (operands, passes, processors, rows, cols).

        Raises:
            BoardError: it reaches beyond a memory.
        """
        pixels = x.rows * x.cols
        words = -(-pixels // WORD_BYTES) if x.chw else pixels * x.passes * x.operands
        self._check_range(x.read_word, words, "input")
        shape = (x.rows, x.cols, x.passes, x.operands)
        channels = []
        for processor in x.processors:
            span = self._bytes[processor // self._lanes][x.read_word : x.read_word + words]
            values = span.reshape(-1)[:pixels] if x.chw else span[:, processor % self._lanes]
            channels.append(values.view(np.int8).reshape(shape))
        return np.stack(channels).transpose(4, 3, 0, 1, 2).astype(np.int64)

    def write_positions(self, x: LayerSettings, values: NDArray[np.int64]) -> None:
        """Stores the outputs of a convolution.

        Position ``o`` of an output pass goes to lane ``o mod lanes`` of the ``o / lanes``-th memory from the first.
        Words are stored whole: lanes behind the last position become zero.

        Args:
            values: (slots, rows, cols) of all output passes one after another; int8 or int32 in range.

        Raises:
            BoardError: it reaches beyond the memories.
        """
        pixels = values.shape[1] * values.shape[2]
        flat = values.reshape(values.shape[0], pixels)
        (first,) = set(x.write_instance.values())
        for out_pass in range(x.out_passes):
            slots = flat[out_pass * x.positions : (out_pass + 1) * x.positions]
            for start in range(0, len(slots), self._lanes):
                word = x.write_word + out_pass * x.pass_step
                lanes = slots[start : start + self._lanes]
                self._store(first + start // self._lanes, word, x.pixel_step, lanes, x.wide)

    def write_quadrants(self, x: LayerSettings, values: NDArray[np.int64]) -> None:
        """Stores what passes through: each quadrant's processors go, packed, to memories of its own choice.

        Args:
            values: (passes, processors, rows, cols), int8 in range.

        Raises:
            BoardError: it reaches beyond the memories.
        """
        for quadrant, first in x.write_instance.items():
            own = [i for i, p in enumerate(x.processors) if p // self._per_quadrant == quadrant]
            for out_pass, start in np.ndindex(x.passes, -(-len(own) // self._lanes)):
                lanes = values[out_pass, own[start * self._lanes : (start + 1) * self._lanes]]
                word = x.write_word + out_pass * x.pass_step
                self._store(first + start, word, x.pixel_step, lanes.reshape(len(lanes), -1), wide=False)

    def _store(self, instance: int, word: int, step: int, lanes: NDArray[np.int64], wide: bool) -> None:
        """Writes (lanes, pixels) into one memory, a pixel each ``step`` words."""
        if instance >= len(self.instances):
            raise BoardError("emulator: a layer's output reaches beyond the last data memory")
        pixels = lanes.shape[1]
        self._check_range(word, (pixels - 1) * step + (len(lanes) if wide else 1), "output")
        memory = self._bytes[instance]
        if wide:
            words = memory.reshape(-1).view("<i4")
            for lane, values in enumerate(lanes):
                words[word + lane : word + lane + (pixels - 1) * step + 1 : step] = values
            return
        stored = np.zeros((pixels, WORD_BYTES), np.uint8)
        stored[:, : len(lanes)] = lanes.T.astype(np.int8).view(np.uint8)
        memory[word : word + (pixels - 1) * step + 1 : step] = stored

    def _check_range(self, word: int, words: int, what: str) -> None:
        if word + words > self._words:
            raise BoardError(
                f"emulator: a layer's {what} of {words} words from word {word} on reaches beyond the "
                f"{self._words} words of a data memory"
            )
