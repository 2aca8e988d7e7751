"""The outputs of the sample as words of the data memories (docs/hardware.md, Data layout)."""

import numpy as np
from numpy.typing import NDArray

from maxexp.chip.memory.placement import MemoryMap
from maxexp.chip.part import WORD_BYTES

WHOLE_WORD = 0xFFFFFFFF


def output_words(memory: MemoryMap, outputs: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Address, mask and expected value of each word that holds outputs, ascending.

    Args:
        outputs: of the last layer, by channel, row and column.
    """
    layer, processors = memory.network.layers[-1], memory.processors(memory.network.layers[-1].name)
    channels, rows, cols = layer.out_shape
    lanes, passes = memory.part.processors.per_instance, memory.part.processors.passes(channels)
    words: dict[int, list[int]] = {}
    for (channel, pixel), value in np.ndenumerate(outputs.reshape(channels, rows * cols)):
        level, rank = divmod(channel, len(processors))
        instance, lane = divmod(processors.start + rank, lanes)
        start = memory.part.instance_address(instance) + memory.data_offset[layer.name]
        index = pixel * passes + level
        if layer.wide:
            words[start + WORD_BYTES * (WORD_BYTES * index + lane)] = [WHOLE_WORD, int(value) & WHOLE_WORD]
            continue
        # The processors of an instance share a word, a byte each.
        word = words.setdefault(start + WORD_BYTES * index, [0, 0])
        word[0] |= 0xFF << 8 * lane
        word[1] |= (int(value) & 0xFF) << 8 * lane
    return [(address, words[address][0], words[address][1]) for address in sorted(words)]


def output_blocks(words: list[tuple[int, int, int]]) -> list[int]:
    """Words that follow one another under the same mask as blocks: address, mask, their number, the words; then 0."""
    blocks: list[list[int]] = []
    for address, mask, value in words:
        if blocks and address == blocks[-1][0] + WORD_BYTES * (len(blocks[-1]) - 2) and mask == blocks[-1][1]:
            blocks[-1].append(value)
        else:
            blocks.append([address, mask, value])
    return [number for address, mask, *values in blocks for number in (address, mask, len(values), *values)] + [0]
