"""The network's input as words of the data memories: four channels to a word, a pixel after the other (HWC)."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from maxexp.chip.part import Part


def input_words(signed: NDArray[np.int8], processors: Sequence[int], part: Part) -> dict[int, NDArray[np.uint32]]:
    """Returns where each number goes (docs/hardware.md, Data layout).

    Args:
        signed: int8 (C, H, W).
        processors: those of the first layer, ascending; channels are dealt out to them in passes.

    Returns:
        Words by the first processor of their data memory instance; of a pixel with several passes one word for
        each. Bytes that no channel has are 0.
    """
    channels, lanes = len(signed), part.processors.per_instance
    passes = ceil(channels / len(processors))
    planes = signed.reshape(channels, -1).view(np.uint8)
    bytes_of = np.zeros((part.processors.count, planes.shape[1], passes), np.uint8)
    for channel, plane in enumerate(planes):
        level, rank = divmod(channel, len(processors))
        bytes_of[processors[rank], :, level] = plane
    firsts = sorted({processor - processor % lanes for processor in processors})
    return {first: _words(bytes_of[first : first + lanes]) for first in firsts}


def _words(lanes: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Bytes (lanes, pixels, passes) to words, pass after pass within a pixel."""
    return np.ascontiguousarray(np.moveaxis(lanes, 0, -1)).view("<u4").ravel()
