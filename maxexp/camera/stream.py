"""What the maker's capture example sends: lines of text, and frames behind a line that announces them.

The line is ``*IMG* <format> <bytes> <width> <height>``, then come the bytes (hardware.md 9; msdk,
Examples/MAX78000/ImgCapture/main.c, transmit_capture_uart). Files on its SD card look the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from maxexp.base.errors import CameraError
from maxexp.camera.frame import Frame

HEADER = re.compile(rb"\*IMG\* (\w+) (\d+) (\d+) (\d+)\r?$")
START = b"*IMG* "


def dump(frame: Frame) -> bytes:
    """A frame behind its header line, as on the example's SD card."""
    return START + f"{frame.pixel_format} {len(frame.data)} {frame.width} {frame.height}\n".encode() + frame.data


class StreamParser:
    """Divides a stream, which may come in pieces of any size, into lines and frames.

    Between frames anything is taken for text: a header is also found behind the bytes that the example sends
    beyond a frame's end (it sends whole buffers of 256).
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._header: tuple[str, int, int, int] | None = None

    @property
    def missing(self) -> str | None:
        """How much of a frame is there that has begun and not ended; None between frames."""
        return None if self._header is None else f"{len(self._buffer)} of {self._header[1]} bytes"

    def feed(self, data: bytes) -> Iterator[str | Frame]:
        """Takes the next bytes in and yields the lines and frames that they complete, in order."""
        self._buffer += data
        while True:
            if self._header is not None:
                pixel_format, count, width, height = self._header
                if len(self._buffer) < count:
                    return
                self._header = None
                yield Frame(pixel_format, width, height, self._take(count))
                continue
            end = self._buffer.find(b"\n")
            if end < 0:
                return
            line = self._take(end + 1)[:-1]
            match = HEADER.search(line)
            if match is None:
                yield line.decode("ascii", errors="replace").strip()
            else:
                count, width, height = (int(number) for number in match.groups()[1:])
                self._header = (match[1].decode("ascii", errors="replace"), count, width, height)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def read_frames(stream: bytes) -> Iterator[Frame]:
    """The frames of a recorded stream.

    Raises:
        CameraError: there is none, or the stream ends within one; those before it are yielded first.
    """
    parser = StreamParser()
    count = 0
    for event in parser.feed(stream):
        if isinstance(event, Frame):
            count += 1
            yield event
    if parser.missing:
        raise CameraError(f"the stream ends within a frame, after {parser.missing}: record it again")
    if not count:
        raise CameraError("there is no frame in it: no line '*IMG* <format> <bytes> <width> <height>'")
