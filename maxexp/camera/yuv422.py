"""YUV422 in the byte order of the maker's capture example, Y0 U Y1 V: two pixels that share their colour.

Order and matrix are those of ``yuv422_to_rgb`` in msdk, Examples/MAX78000/ImgCapture/utils/imgConverter.py:
nearly ITU-R BT.601 with full range (1.402, -0.344, -0.714, 1.772).
"""

import numpy as np

NEUTRAL = 128
"""U and V of gray."""


def decode(raw: np.ndarray) -> np.ndarray:
    """Pixels of a dump.

    R = Y + 1.4075 (V - 128), G = Y - 0.3455 (U - 128) - 0.7169 (V - 128), B = Y + 1.779 (U - 128), without
    their fraction, limited to 0..255.

    Args:
        raw: uint8 (H, W, 2), W even.

    Returns:
        uint8 (H, W, 3).
    """
    luma = raw[..., 0].astype(np.float64)
    chroma = raw[..., 1].astype(np.float64) - NEUTRAL
    u, v = chroma[:, 0::2].repeat(2, axis=1), chroma[:, 1::2].repeat(2, axis=1)
    colors = (luma + 1.4075 * v, luma - 0.3455 * u - 0.7169 * v, luma + 1.779 * u)
    return np.stack(colors, axis=-1).clip(0, 255).astype(np.uint8)
