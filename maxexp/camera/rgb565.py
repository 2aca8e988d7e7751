"""RGB565, as the camera sends it: two bytes per pixel, ``RRRRRGGG GGGBBBBB``, the high one first.

Byte order: docs/hardware.md, Camera. In a 32-bit word of a dump the lower two bytes are the first pixel, so that a
dump is plainly pixel after pixel.
"""

import numpy as np

from maxexp.camera.signed import to_signed

LEVELS = np.array([31, 63, 31], np.uint16)
"""Brightest value of red, green and blue."""


def decode(raw: np.ndarray) -> np.ndarray:
    """Pixels to look at, each colour stretched to 0..255.

    v * 255 / 31 (green: / 63) without its fraction, as the maker's imgConverter.py computes it (docs/hardware.md,
    Camera).

    Args:
        raw: uint8 (H, W, 2).

    Returns:
        uint8 (H, W, 3).
    """
    high, low = raw[..., 0], raw[..., 1]
    fields = np.stack((high >> 3, (high & 0x07) << 3 | low >> 5, low & 0x1F), axis=-1)
    return (fields.astype(np.uint16) * 255 // LEVELS).astype(np.uint8)


def encode(pixels: np.ndarray) -> np.ndarray:
    """The dump of a picture; each colour keeps its upper bits, as the camera demos of the maker's SDK do it.

    ``encode(decode(raw))`` is ``raw``.

    Args:
        pixels: uint8 (H, W, 3).

    Returns:
        uint8 (H, W, 2).
    """
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return np.stack((red & 0xF8 | green >> 5, (green & 0x1C) << 3 | blue >> 3), axis=-1)


def network_input(raw: np.ndarray) -> np.ndarray:
    """The network's input as the firmware computes it from a dump (C expressions of docs/hardware.md, Camera).

    Nothing is stretched: the lower bits are 0, so that white is 248 - 128 and not 255 - 128.

    Args:
        raw: uint8 (H, W, 2).

    Returns:
        int8 (H, W, 3).
    """
    high, low = raw[..., 0], raw[..., 1]
    # In uint8 a shift to the left drops what leaves the byte, as the cast in C does.
    return to_signed(np.stack((high & 0xF8, high << 5 | (low & 0xE0) >> 3, low << 3), axis=-1))
