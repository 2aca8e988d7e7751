"""What the maker's capture example sends: lines of text, and frames behind a line that announces them.

The line is ``*IMG* <format> <bytes> <width> <height>``, then come the bytes (docs/hardware.md, Camera; msdk,
Examples/MAX78000/ImgCapture/main.c, transmit_capture_uart). Files on its SD card look the same.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maxexp.base.errors import CameraError
from maxexp.camera.frame import MAX_FRAME_BYTES, Frame

START = b"*IMG* "
HEADER = re.compile(rb"\*IMG\* (\w{1,20}) (\d{1,8}) (\d{1,5}) (\d{1,5})\r?\n")
LONGEST_HEADER = 50
"""Bytes of the longest line that HEADER matches, with some to spare."""
LONGEST_LINE = 4096
"""Bytes without a line end that are kept in the hope of one."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skipped:
    """Bytes of a stream that are part of no frame though they should be.

    Attributes:
        cause: what was found, for a message.
    """

    cause: str


Event = str | Frame | Skipped


def dump(frame: Frame) -> bytes:
    """A frame behind its header line, as on the example's SD card."""
    return START + f"{frame.pixel_format} {len(frame.data)} {frame.width} {frame.height}\n".encode() + frame.data


class StreamParser:
    """Divides a stream, which may come in pieces of any size, into lines and frames.

    Between frames anything is taken for text: a header is also found behind the bytes that the example sends
    beyond a frame's end (it sends whole buffers of 256). Where bytes were lost the next header ends the frame.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._header: Frame | None = None
        self._count = 0
        # The end of the frame before: some of a header is there if the frame lacks bytes.
        self._before = b""

    @property
    def missing(self) -> str | None:
        """Returns how much of a frame is there that has begun and not ended; None between frames."""
        return None if self._header is None else f"{len(self._buffer)} of {self._count} bytes"

    def feed(self, data: bytes) -> Iterator[Event]:
        """Takes the next bytes in and yields the lines, frames and gaps that they complete, in order."""
        unseen = max(0, len(self._buffer) - LONGEST_HEADER)
        self._buffer += data
        while (event := self._next(unseen)) is not None:
            unseen = 0
            yield from event

    def _next(self, unseen: int) -> list[Event] | None:
        """Returns what comes next; None if it is not whole yet.

        Args:
            unseen: bytes of the buffer from which on it may hold a header.
        """
        return self._next_line() if self._header is None else self._next_frame(self._header, unseen)

    def _next_frame(self, header: Frame, unseen: int) -> list[Event] | None:
        cut = HEADER.search(self._buffer, unseen, min(len(self._buffer), self._count + LONGEST_HEADER))
        if cut and cut.start() < self._count:
            cause = f"a frame of {self._count} bytes broke off after {cut.start()}; the next one follows"
            self._take(cut.start())
            self._header = None
            return [Skipped(cause)]
        if len(self._buffer) < self._count:
            return None
        data = self._take(self._count)
        self._header, self._before = None, data[-LONGEST_HEADER:]
        return [Frame(header.pixel_format, header.width, header.height, data)]

    def _next_line(self) -> list[Event] | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return self._without_end()
        before, line = self._before, self._take(end + 1)
        self._before = b""
        # Lines may be junk before their end: the last header counts.
        found = list(HEADER.finditer(before + line))
        if not found or found[-1].end() <= len(before):
            damaged = START in line
            return [Skipped(f"a damaged header, {line[-80:]!r}; its frame is lost")] if damaged else [_text(line)]
        pixel_format, *numbers = found[-1].groups()
        count, width, height = map(int, numbers)
        if count > MAX_FRAME_BYTES:
            return [Skipped(f"a header that announces {count:,} bytes: no frame has over {MAX_FRAME_BYTES:,}")]
        self._header, self._count = Frame(pixel_format.decode("ascii", errors="replace"), width, height, b""), count
        lacking = len(before) - found[-1].start()
        return [Skipped(f"the frame before lacks its last {lacking} bytes")] if lacking > 0 else []

    def _without_end(self) -> list[Event] | None:
        if len(self._buffer) <= LONGEST_LINE:
            return None
        skipped = self._take(len(self._buffer) - LONGEST_HEADER)
        self._before = b""
        return [Skipped(f"{len(skipped):,} bytes without the end of a line")]

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def _text(line: bytes) -> str:
    return line[:-1].decode("ascii", errors="replace").strip()


def warn(skipped: Skipped) -> None:
    """Tells the user what a stream lost."""
    log.warning("camera stream: skipped %s", skipped.cause)


def read_frames(stream: bytes | Iterable[bytes]) -> Iterator[Frame]:
    """The frames of a recorded stream; what is skipped between them is warned of.

    Args:
        stream: all of it, or piece by piece.

    Raises:
        CameraError: there is none, or the stream ends within one; those before it are yielded first.
    """
    parser = StreamParser()
    count = 0
    pieces = [stream] if isinstance(stream, bytes) else stream
    for event in (event for piece in pieces for event in parser.feed(piece)):
        if isinstance(event, Skipped):
            warn(event)
        elif isinstance(event, Frame):
            count += 1
            yield event
    if parser.missing:
        raise CameraError(f"the stream ends within a frame, after {parser.missing}: record it again")
    if not count:
        raise CameraError("there is no frame in it: no line '*IMG* <format> <bytes> <width> <height>'")
