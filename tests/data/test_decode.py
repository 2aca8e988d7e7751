"""Decoding of single images: as they are meant to be seen, or refused in a sentence."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.store.decode import decode_image

STORED = np.random.default_rng(0).integers(0, 256, (4, 7, 3), np.uint8)
CONFIG = DatasetConfig("pictures", DatasetSource.images, 3, 4, 7, 2, 4, root=".")

UPRIGHT = {
    1: STORED,
    2: STORED[:, ::-1],
    3: STORED[::-1, ::-1],
    4: STORED[::-1],
    5: STORED.transpose(1, 0, 2),
    6: np.rot90(STORED, -1),
    7: STORED[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(STORED, 1),
}
"""By EXIF orientation, which says where the stored first row and column belong: what is to be seen."""


def png(exif: Image.Exif | bytes) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(STORED).save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_an_image_is_turned_as_its_orientation_says(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    expected = UPRIGHT[orientation]
    config = dataclasses.replace(CONFIG, height=expected.shape[0], width=expected.shape[1])
    image = decode_image(png(exif), "a.png", config, resize=False)
    assert np.array_equal(image, expected.transpose(2, 0, 1))


@pytest.mark.parametrize("exif", [b"Exif\0\0II*\0", b"Exif\0\0nonsense"])
def test_an_orientation_that_cannot_be_read_is_a_sentence(exif):
    with pytest.raises(DataError, match="a.png is not a readable image .*: replace or remove it") as caught:
        decode_image(png(exif), "a.png", CONFIG, resize=False)
    assert "\n" not in str(caught.value)


SEEN = [[0, 100, 255, 255]]
"""Black, gray, and nothing twice: what `transparent` looks like on white."""


def transparent(mode: str) -> tuple[Image.Image, dict]:
    """A row of four pixels, the last two transparent, black and gray beneath; with what PNG needs to keep them."""
    gray, alpha = (Image.fromarray(np.array([row], np.uint8)) for row in ([0, 100, 0, 100], [255, 255, 0, 0]))
    if mode == "P":
        image = Image.fromarray(np.array([[0, 1, 2, 3]], np.uint8)).convert("P")
        image.putpalette([value for level in (0, 100, 0, 100) for value in (level,) * 3])
        return image, {"transparency": bytes([255, 255, 0, 0])}
    if mode == "L":  # one of its grays stands for nothing
        return Image.fromarray(np.array([[0, 100, 7, 7]], np.uint8)), {"transparency": 7}
    return Image.merge(mode, (*(gray,) * (len(mode) - 1), alpha)), {}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L"])
def test_what_is_transparent_is_white(mode, channels):
    image, options = transparent(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    config = dataclasses.replace(CONFIG, channels=channels, height=1, width=4)
    decoded = decode_image(buffer.getvalue(), "a.png", config, resize=False)
    assert decoded.tolist() == [SEEN] * channels


def test_half_transparent_is_half_white():
    buffer = io.BytesIO()
    Image.new("RGBA", (7, 4), (0, 100, 255, 128)).save(buffer, "PNG")
    assert decode_image(buffer.getvalue(), "a.png", CONFIG, resize=False)[:, 0, 0].tolist() == [127, 177, 255]
