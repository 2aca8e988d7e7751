"""What firmware makes of a microphone's samples: as ``board/front_end/front_end.c``, byte by byte.

Samples are 16 bits at 16 kHz. A high-pass takes out their offset, 8 bits are kept, and a second of them is folded to
the input of a keyword network: sample n is in channel n % 128, at time n // 128. What is done, and its constants, are
those of the maker's demonstration (msdk, Examples/MAX78000/CNN/kws20_demo); where that wraps around, this saturates.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CHANNELS = 128
SETTLE = 10_000
"""Samples at the start that are only filtered: the microphone charges."""
CHUNK = 128
"""Samples whose loudness is taken together."""
SAMPLES = 16_384
"""Of a clip."""
PREAMBLE = 30
"""Chunks of a clip up to the loud one that begins it."""
LOUD, QUIET = 350, 100
"""Mean magnitudes: from the first on a chunk begins a clip, below the second it is quiet."""
PATIENCE = 20
"""Quiet chunks in turn that do not end a clip."""
FEEDBACK = 32_604
"""Of the high-pass, in units of 2^-15: 0.995."""
GAIN = 4
"""Before the lower 8 bits are dropped."""


def high_pass(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """The samples without their offset: y(n) = x(n) - x(n-1) + 0.995 y(n-1), rounded and saturated."""
    filtered, before, y = [], 0, 0
    for x in samples.tolist():
        y = max(-(2**15), min(2**15 - 1, x - before + ((FEEDBACK * y + 2**14) >> 15)))
        before = x
        filtered.append(y)
    return np.array(filtered, np.int16)


def to_bytes(filtered: NDArray[np.int16]) -> NDArray[np.int8]:
    """Returns what the network sees: the upper 8 of 16 bits behind the gain, rounded towards zero."""
    return np.clip(np.trunc(filtered * (GAIN / 256)), -128, 127).astype(np.int8)


def fold(clip: NDArray[np.int8]) -> NDArray[np.int8]:
    """Returns the (channels, times, 1) that a network reads of a clip's samples."""
    return np.ascontiguousarray(clip.reshape(-1, CHANNELS).T)[..., None]


def clips(samples: NDArray[np.int16]) -> Iterator[NDArray[np.int8]]:
    """The clips that the firmware finds in a recording: int8 (16384,) each.

    A clip begins with a loud chunk, and the chunks before it. It ends where it is full, or where it has become quiet
    behind its first third; it is filled with zeros then. Chunks that are not complete are not seen.
    """
    filtered = high_pass(samples)[SETTLE:]
    whole = len(filtered) // CHUNK * CHUNK
    loudness = np.abs(filtered[:whole].astype(np.int64)).reshape(-1, CHUNK).sum(1) // CHUNK
    before = deque([np.zeros(CHUNK, np.int8)] * PREAMBLE, PREAMBLE)
    clip: list[NDArray[np.int8]] = []
    quiet = 0
    for chunk, loud in zip(to_bytes(filtered[:whole]).reshape(-1, CHUNK), loudness.tolist(), strict=True):
        before.append(chunk)
        if not clip:
            clip, quiet = list(before) if loud >= LOUD else [], 0
            continue
        clip.append(chunk)
        quiet = quiet + 1 if loud < QUIET and len(clip) * CHUNK >= SAMPLES // 3 else 0
        if quiet > PATIENCE or len(clip) * CHUNK == SAMPLES:
            found = np.zeros(SAMPLES, np.int8)
            found[: len(clip) * CHUNK] = np.concatenate(clip)
            yield found
            clip = []
