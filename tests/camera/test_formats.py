"""Pixel formats against plain loops, written from the C of docs/hardware.md, Camera and the maker's host tools."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from maxexp.camera import bayer, rgb565, rgb888, yuv422
from maxexp.camera.signed import to_pixels, to_signed
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.augmentation.pixels import map_pixels
from tests.camera.conftest import unhurried

EVERY_WORD = np.arange(1 << 16, dtype=">u2").view(np.uint8).reshape(256, 256, 2)
"""All pixels that RGB565 has."""


def raw(channels: int, multiple: int = 1):
    """Strategy: uint8 (H, W, channels), H and W multiples."""
    sides = st.integers(1, 5).map(lambda side: side * multiple)
    return st.tuples(sides, sides).flatmap(lambda size: arrays.arrays(np.uint8, (*size, channels)))


def as_int8(value: int) -> int:
    return value - 256 if value > 127 else value


def test_signed_is_the_mapping_that_training_uses():
    import torch

    pixels = np.arange(256, dtype=np.uint8)
    assert to_signed(pixels).tolist() == map_pixels(torch.from_numpy(pixels), InputMapping.p128).tolist()
    assert np.array_equal(to_pixels(to_signed(pixels)), pixels)


def test_rgb565_as_the_makers_converter_shows_it():
    shown = rgb565.decode(EVERY_WORD).reshape(-1, 3)
    for word in range(1 << 16):
        fields = (word >> 11 & 0x1F, word >> 5 & 0x3F, word & 0x1F)
        expected = tuple(int(field * 255 / most) for field, most in zip(fields, (31, 63, 31), strict=True))
        assert tuple(shown[word]) == expected


def test_rgb565_as_the_firmware_feeds_it():
    fed = rgb565.network_input(EVERY_WORD).reshape(-1, 3)
    for word in range(1 << 16):
        high, low = divmod(word, 256)
        red = (high & 0xF8) ^ 0x80
        green = ((high << 5) & 0xFF | (low & 0xE0) >> 3) ^ 0x80
        blue = ((low << 3) & 0xFF) ^ 0x80
        assert tuple(fed[word]) == tuple(map(as_int8, (red, green, blue)))


def test_rgb565_round_trip_is_byte_exact():
    assert np.array_equal(rgb565.encode(rgb565.decode(EVERY_WORD)), EVERY_WORD)


def test_rgb565_input_is_the_upper_bits_of_what_is_shown():
    shown = rgb565.decode(EVERY_WORD) & np.array([0xF8, 0xFC, 0xF8], np.uint8)
    assert np.array_equal(rgb565.network_input(EVERY_WORD), to_signed(shown))


@unhurried
@given(raw(3))
def test_rgb888_round_trip_is_byte_exact_with_and_without_the_fourth_byte(pixels):
    dumped = rgb888.encode(pixels)
    assert np.array_equal(rgb888.decode(dumped), pixels)
    assert np.array_equal(rgb888.decode(pixels), pixels)
    assert dumped.shape[2] == 4 and not dumped[..., 3].any()


@unhurried
@given(raw(4))
def test_rgb888_as_the_firmware_feeds_it(dumped):
    fed = rgb888.network_input(dumped).reshape(-1, 3)
    for values, (r, g, b, _) in zip(fed, dumped.reshape(-1, 4).tolist(), strict=True):
        word = ((b << 16) | (g << 8) | r) ^ 0x00808080
        assert tuple(values) == tuple(as_int8(word >> shift & 0xFF) for shift in (0, 8, 16))
    assert np.array_equal(rgb888.network_input(dumped[..., :3]), rgb888.network_input(dumped))


@unhurried
@given(raw(2, multiple=2))
def test_yuv422_as_the_makers_converter_shows_it(dumped):
    expected = []
    for y0, u, y1, v in dumped.reshape(-1, 4).tolist():
        for y in (y0, y1):
            red = y + 1.4075 * (v - 128)
            green = y - 0.3455 * (u - 128) - 0.7169 * (v - 128)
            blue = y + 1.7790 * (u - 128)
            expected.append([min(max(int(value), 0), 255) for value in (red, green, blue)])
    assert yuv422.decode(dumped).reshape(-1, 3).tolist() == expected


def test_yuv422_without_colour_is_gray():
    dumped = np.stack(np.broadcast_arrays(np.arange(256, dtype=np.uint8), np.uint8(128)), axis=-1)[None]
    assert np.array_equal(yuv422.decode(dumped), np.repeat(dumped[..., :1], 3, axis=2))


PATTERNS = ("BGGR", "GBRG", "GRBG", "RGGB")


def site(pattern: str, row: int, column: int) -> str:
    return pattern[row % 2 * 2 + column % 2]


@pytest.mark.parametrize("pattern", PATTERNS)
@unhurried
@given(raw(1, multiple=2))
def test_bayer_is_the_mean_of_the_nearest_pixels_of_a_colour(pattern, mosaic):
    height, width = mosaic.shape[:2]
    shown = bayer.decode(mosaic, pattern)
    for row, column in np.ndindex(height, width):
        for index, color in enumerate("RGB"):
            near = {}  # by squared distance
            for y, x in np.ndindex(3, 3):
                if site(pattern, row + y - 1, column + x - 1) == color:
                    # A mirror about the outermost pixel: -1 is 1, and the height is the height - 2.
                    source_row = height - 1 - abs(height - 1 - abs(row + y - 1))
                    source_column = width - 1 - abs(width - 1 - abs(column + x - 1))
                    distance = (y - 1) ** 2 + (x - 1) ** 2
                    near.setdefault(distance, []).append(int(mosaic[source_row, source_column, 0]))
            nearest = near[min(near)]
            assert shown[row, column, index] == sum(nearest) // len(nearest)


@pytest.mark.parametrize("pattern", PATTERNS)
@unhurried
@given(color=st.tuples(*[st.integers(0, 255)] * 3))
def test_bayer_of_one_colour_is_that_colour(pattern, color):
    values = dict(zip("RGB", color, strict=True))
    mosaic = np.array([[[values[site(pattern, row, column)]] for column in range(6)] for row in range(4)], np.uint8)
    assert (bayer.decode(mosaic, pattern) == color).all()


def test_bayer_mirrored_left_and_right_is_the_neighbouring_pattern():
    mosaic = np.random.default_rng(1).integers(0, 256, (6, 8, 1), np.uint8)
    for one, other in pairwise(["BGGR", "GBRG", "BGGR"]):
        assert np.array_equal(bayer.decode(mosaic, one)[:, ::-1], bayer.decode(mosaic[:, ::-1], other))
