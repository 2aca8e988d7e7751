"""RGB888, which the camera interface expands from RGB565: red, green, blue, and with DMA a fourth byte.

The fourth byte makes each pixel the little-endian word 0x00BBGGRR; without DMA it is left out. That the SDK
knows both lengths under one name confused its own converter (docs/hardware.md, Camera).
"""

import numpy as np

from maxexp.camera.signed import to_signed


def decode(raw: np.ndarray) -> np.ndarray:
    """Pixels of a dump: uint8 (H, W, 3 or 4) to uint8 (H, W, 3)."""
    return raw[..., :3]


def encode(pixels: np.ndarray) -> np.ndarray:
    """The dump of a picture as DMA leaves it: uint8 (H, W, 3) to uint8 (H, W, 4), the last byte 0."""
    return np.pad(pixels, ((0, 0), (0, 0), (0, 1)))


def network_input(raw: np.ndarray) -> np.ndarray:
    """The network's input as the firmware computes it: ``((b << 16) | (g << 8) | r) ^ 0x00808080``.

    Args:
        raw: uint8 (H, W, 3 or 4).

    Returns:
        int8 (H, W, 3), the lower three bytes of the firmware's words.
    """
    return to_signed(decode(raw))
