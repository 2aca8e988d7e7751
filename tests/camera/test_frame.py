"""Frames of the wrong size or format: what is wrong, and what would fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxexp.base.errors import CameraError
from maxexp.camera.frame import FORMATS, Frame
from tests.camera.conftest import unhurried


@pytest.mark.parametrize(
    ("pixel_format", "width", "height", "count", "message"),
    [
        (
            "RGB565",
            64,
            48,
            8192,
            "8192 bytes are not a frame of 64x48 pixels in RGB565, which has 6144; they would fit 64x64",
        ),
        ("RGB565", 64, 48, 64 * 48 * 4, "they would fit RGB888, 64x96, 128x48"),
        ("RGB888", 8, 8, 128, "which has 192 or 256; they would fit RGB565, YUV422, 8x4, 4x8"),
        ("RGB888", 8, 8, 97, "the dump is cut off"),
        ("RGB565", 8, 8, 331, "give the true size and format"),
        ("GRAYSCALE", 4, 4, 0, "the dump is cut off"),
        ("YUV422", 3, 2, 12, "a frame of 3x2 pixels cannot be YUV422: width and height must be multiples of 2 and 1"),
        ("BAYER", 4, 3, 12, "must be multiples of 2 and 2"),
        ("RGB565", 0, 3, 0, "a frame of 0x3 pixels cannot be RGB565"),
        ("INVALID", 4, 4, 16, "unknown pixel format INVALID: use one of RGB565, RGB888, YUV422, BAYER"),
    ],
)
def test_what_is_wrong(pixel_format, width, height, count, message):
    with pytest.raises(CameraError) as caught:
        Frame(pixel_format, width, height, bytes(count)).pixels()
    assert message in str(caught.value)


@unhurried
@given(st.sampled_from(sorted(FORMATS)), st.integers(1, 9), st.integers(1, 9), st.integers(0, 300))
def test_hints_are_true(pixel_format, width, height, count):
    """Whatever a message says would fit does."""
    frame = Frame(pixel_format, width, height, bytes(count))
    try:
        frame.check()
    except CameraError as error:
        hint = str(error).partition("they would fit ")[2]
        for fit in hint.split(", ") if hint else []:
            if fit in FORMATS:
                Frame(fit, width, height, bytes(count)).check()
            else:
                columns, rows = map(int, fit.split("x"))
                Frame(pixel_format, columns, rows, bytes(count)).check()


@unhurried
@given(st.sampled_from(["RGB565", "RGB888"]), st.data())
def test_dumps_round_trip_through_their_pixels(pixel_format, data):
    width, height = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    count = width * height * max(FORMATS[pixel_format].pixel_bytes)
    frame = Frame(pixel_format, width, height, data.draw(st.binary(min_size=count, max_size=count)))
    again = Frame.encode(frame.pixels(), pixel_format)
    assert (again.pixels() == frame.pixels()).all()
    if pixel_format == "RGB565":
        assert again == frame


def test_formats_that_no_picture_becomes_and_that_feed_no_network():
    with pytest.raises(CameraError, match="cannot be made into YUV422 frames: use RGB565 or RGB888"):
        Frame.encode(Frame("YUV422", 2, 1, bytes(4)).pixels(), "YUV422")
    assert Frame("BAYER", 2, 2, bytes(4)).network_input() is None
