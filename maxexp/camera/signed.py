"""Pixels and the signed numbers of the network: p xor 0x80, read as signed, is p - 128 (docs/hardware.md, Camera)."""

import numpy as np

SIGN_BIT = 0x80


def to_signed(pixels: np.ndarray) -> np.ndarray:
    """The network's input for pixels: uint8 to int8, same shape, as the firmware's ``^ 0x80`` does it."""
    return (pixels ^ SIGN_BIT).view(np.int8)


def to_pixels(signed: np.ndarray) -> np.ndarray:
    """The pixels of a network's input: int8 to uint8, same shape; the inverse of :func:`to_signed`."""
    return signed.view(np.uint8) ^ SIGN_BIT
