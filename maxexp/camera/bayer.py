"""Bayer mosaics: one byte per pixel, of one colour each."""

import numpy as np

NEIGHBOURS = {
    "R": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]),
    "G": np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]),
    "B": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]),
}
"""Weights, in quarters, with which a pixel and those around it make a colour, where they have it."""


def decode(raw: np.ndarray, pattern: str) -> np.ndarray:
    """Returns the bilinear demosaicing: a colour that a pixel lacks is the mean of its nearest neighbours that have
    it.

    The mean loses its fraction. Beyond the border the mosaic goes on mirrored about its outermost pixels, which
    keeps the pattern. Inside, the result is that of ``bayer_bilinear_demosaicing`` in the SDK's
    Libraries/MiscDrivers/Camera/debayering.c without its colour correction and its rounding to RGB565.

    Args:
        raw: uint8 (H, W, 1), H and W even.
        pattern: colours of the upper left 2x2 pixels, row by row, such as "BGGR".

    Returns:
        uint8 (H, W, 3).
    """
    height, width = raw.shape[:2]
    mosaic = np.pad(raw[..., 0].astype(np.uint16), 1, mode="reflect")
    # The mosaic begins one pixel further up and left, where the cell's opposite corner is.
    cell = np.array(list(pattern)).reshape(2, 2)[::-1, ::-1]
    sites = np.tile(cell, (height // 2 + 1, width // 2 + 1))
    pixels = np.zeros((height, width, 3), np.uint16)
    for index, (color, weights) in enumerate(NEIGHBOURS.items()):
        plane = np.where(sites == color, mosaic, 0)
        for (row, column), weight in np.ndenumerate(weights):
            pixels[..., index] += plane[row : row + height, column : column + width] * np.uint16(weight)
    return (pixels // 4).astype(np.uint8)
