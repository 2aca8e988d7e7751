"""A camera's frame as it is dumped: bytes of a known pixel format and size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isqrt

import numpy as np

from maxexp.base.errors import CameraError
from maxexp.camera import bayer, rgb565, rgb888, yuv422

Convert = Callable[[np.ndarray], np.ndarray]

MAX_FRAME_BYTES = 16 << 20
"""More than any camera that the maker's SDK has a driver for: the OV5642 has five million pixels."""


@dataclass(frozen=True)
class PixelFormat:
    """What the bytes of a frame mean.

    Attributes:
        pixel_bytes: bytes per pixel; several where the SDK knows several under one name.
        decode: uint8 (H, W, bytes) to uint8 (H, W, 1 or 3).
        network_input: the same to int8 (H, W, 3), as the maker's firmware does it; None where it does not.
        encode: uint8 (H, W, 3) to uint8 (H, W, bytes); None where a picture cannot be made into a frame.
        cell: width and height of the smallest frame; all others are multiples.
    """

    pixel_bytes: tuple[int, ...]
    decode: Convert
    network_input: Convert | None = None
    encode: Convert | None = None
    cell: tuple[int, int] = (1, 1)

    def whole(self, width: int, height: int) -> bool:
        """Tells whether there are frames of this size."""
        return min(width, height) > 0 and width % self.cell[0] == 0 and height % self.cell[1] == 0

    def sizes(self, width: int, height: int) -> list[int]:
        """The bytes that a frame may have."""
        return [width * height * count for count in self.pixel_bytes]

    def fits(self, width: int, height: int, count: int) -> bool:
        """Tells whether ``count`` bytes can be a frame of this size."""
        return self.whole(width, height) and count in self.sizes(width, height)


def _bayer(pattern: str) -> PixelFormat:
    return PixelFormat((1,), partial(bayer.decode, pattern=pattern), cell=(2, 2))


FORMATS = {
    "RGB565": PixelFormat((2,), rgb565.decode, rgb565.network_input, rgb565.encode),
    "RGB888": PixelFormat((3, 4), rgb888.decode, rgb888.network_input, rgb888.encode),
    "YUV422": PixelFormat((2,), yuv422.decode, cell=(2, 1)),
    # The order that the SDK's debayering.c takes for granted. Mirroring the sensor shifts it to one below.
    "BAYER": _bayer("BGGR"),
    "BAYER_GBRG": _bayer("GBRG"),
    "BAYER_GRBG": _bayer("GRBG"),
    "BAYER_RGGB": _bayer("RGGB"),
    # The capture example announces the frames of monochrome sensors as BAYER.
    "GRAYSCALE": PixelFormat((1,), lambda raw: raw),
}
"""By the names that the capture example uses: ``camera_get_pixel_format`` in camera.c, imgConverter.py."""


@dataclass(frozen=True)
class Frame:
    """One frame of a camera, checked when it is looked at: what came over a line can be anything.

    Attributes:
        pixel_format: a key of FORMATS.
        width, height: in pixels.
        data: the bytes, row by row from the upper left.
    """

    pixel_format: str
    width: int
    height: int
    data: bytes

    @classmethod
    def encode(cls, pixels: np.ndarray, pixel_format: str) -> Frame:
        """The frame that a camera would have sent for a picture.

        Args:
            pixels: uint8 (H, W, 3).
            pixel_format: RGB565 or RGB888 (which has four bytes per pixel then).

        Raises:
            CameraError: no frames of this format can be made.
        """
        encode = FORMATS[pixel_format].encode
        if encode is None:
            able = " or ".join(name for name, known in FORMATS.items() if known.encode)
            raise CameraError(f"pictures cannot be made into {pixel_format} frames: use {able}")
        height, width = pixels.shape[:2]
        return cls(pixel_format, width, height, encode(pixels).tobytes())

    def check(self) -> None:
        """Raises a :class:`CameraError` unless the bytes can be a frame of this format and size."""
        if not self._format.whole(self.width, self.height):
            raise CameraError(
                f"a frame of {self.width}x{self.height} pixels cannot be {self.pixel_format}: "
                f"width and height must be multiples of {self._format.cell[0]} and {self._format.cell[1]}"
            )
        expected = self._format.sizes(self.width, self.height)
        if len(self.data) not in expected:
            raise CameraError(
                f"{len(self.data)} bytes are not a frame of {self.width}x{self.height} pixels in "
                f"{self.pixel_format}, which has {' or '.join(map(str, expected))}; {self._hint(expected)}"
            )

    @property
    def _format(self) -> PixelFormat:
        if self.pixel_format not in FORMATS:
            raise CameraError(f"unknown pixel format {self.pixel_format}: use one of {', '.join(FORMATS)}")
        return FORMATS[self.pixel_format]

    @property
    def _raw(self) -> np.ndarray:
        self.check()
        return np.frombuffer(self.data, np.uint8).reshape(self.height, self.width, -1)

    def pixels(self) -> np.ndarray:
        """The frame to look at: uint8 (H, W, 3), (H, W, 1) for GRAYSCALE; raises a CameraError as :meth:`check`."""
        return self._format.decode(self._raw)

    def network_input(self) -> np.ndarray | None:
        """The network's input bit for bit as the maker's firmware makes it of the frame.

        Returns:
            int8 (3, H, W); None if its firmware feeds no network from this format.

        Raises:
            CameraError: see :meth:`check`.
        """
        raw, convert = self._raw, self._format.network_input
        return None if convert is None else np.ascontiguousarray(convert(raw).transpose(2, 0, 1))

    def _hint(self, expected: list[int]) -> str:
        """Returns what the bytes would fit instead."""
        count = len(self.data)
        fits = [name for name, known in FORMATS.items() if known.fits(self.width, self.height, count)]
        for pixel_bytes in self._format.pixel_bytes:
            pixels = count // pixel_bytes
            square, rows, columns = isqrt(pixels), pixels // self.width, pixels // self.height
            sizes = [(square, square), (self.width, rows), (columns, self.height)]
            fits += [f"{width}x{height}" for width, height in sizes if self._format.fits(width, height, count)]
        if fits:
            return f"they would fit {', '.join(dict.fromkeys(fits))}"
        return "the dump is cut off" if count < min(expected) else "give the true size and format"
