"""The capture example's console on a serial port: what the host has to say to get frames.

Protocol: docs/hardware.md, Camera and msdk, Examples/MAX78000/ImgCapture, src/console/console.c and main.c. After a
reset the
board says ``*SYNC*`` every half second until the host says it too, starts the camera, and says "Ready!". From then
on it takes lines: ``help``, ``imgres <width> <height>``, ``capture`` (whole frame in memory) and ``stream`` (larger
frames, by way of the accelerator's memory).
"""

from __future__ import annotations

import re
import time
from contextlib import AbstractContextManager

from serial import Serial

from maxexp.base import serial_port
from maxexp.base.errors import CameraError
from maxexp.camera.frame import Frame
from maxexp.camera.stream import Skipped, StreamParser, warn

BAUD_RATE = 921600
"""CON_BAUD of the example's console.h."""

SYNC = "*SYNC*"
READY = "Ready!"
GREETING = re.compile(r"Registered \d+ total commands")
FAILURE = re.compile(r"Failed|Error|Uknown command|OVERFLOW = [1-9]")
"""Lines after which no good frame comes; the third is spelt so. An overflow means rows that were lost."""

QUIET_S = 0.1
"""Silence after which a board has said all it had to say."""


def open_port(name: str, baud_rate: int) -> AbstractContextManager[Serial]:
    """A serial port with QUIET_S as its timeout; see :func:`maxexp.base.serial_port.open_port`."""
    return serial_port.open_port(name, baud_rate, QUIET_S, CameraError)


class CaptureConsole:
    """A conversation with a board that runs the capture example.

    Args:
        port: open, with QUIET_S as its timeout.
        patience_s: how long an answer, or the next piece of a frame, may take.
    """

    def __init__(self, port: Serial, patience_s: float) -> None:
        self._port = port
        self._patience_s = patience_s
        self._deadline = 0.0
        self._parser = StreamParser()
        self._pending: list[str | Frame] = []

    def connect(self) -> None:
        """Waits until the board takes commands, whether it was just reset or runs already.

        Raises:
            CameraError: it does not answer, or its camera does not start.
        """
        # A running board answers this, the first newline ending what a predecessor left; one that waits for the
        # host takes it for noise and says SYNC again.
        self._send("\nhelp\n")
        synchronized = False
        while True:
            line = self._event("no answer; is the maker's ImgCapture example on the board, with this baud rate?")
            if not isinstance(line, str):
                continue
            if SYNC in line:
                self._port.write(SYNC.encode())
                synchronized = True
            elif READY in line or (GREETING.search(line) and not synchronized):
                return
            elif synchronized:
                self._refuse(line)

    def set_size(self, width: int, height: int) -> None:
        """Sets the size of the frames to come, in pixels."""
        self._send(f"imgres {width} {height}\n")

    def capture(self, command: str) -> Frame:
        """Takes one frame.

        Args:
            command: `capture` or `stream`.

        Raises:
            CameraError: the board says why it cannot, falls silent, or restarts.
        """
        self._send(f"{command}\n")
        while True:
            event = self._event(f"no frame after '{command}'")
            if isinstance(event, Frame):
                return event
            if SYNC in event:
                raise CameraError("the board restarted before the frame was there: run the command again")
            self._refuse(event)

    def _send(self, text: str) -> None:
        # While the board prints, all but the first bytes of a command would be lost: let it finish.
        while self._read() and time.monotonic() < self._deadline:
            pass
        self._port.write(text.encode())
        self._wait()

    def _wait(self) -> None:
        self._deadline = time.monotonic() + self._patience_s

    def _read(self) -> bool:
        """Tells whether anything came in before QUIET_S were over."""
        data = self._port.read(max(1, self._port.in_waiting))
        for event in self._parser.feed(data):
            if isinstance(event, Skipped):
                warn(event)
            else:
                self._pending.append(event)
        if data and self._parser.missing:
            self._wait()
        return bool(data)

    def _refuse(self, line: str) -> None:
        if FAILURE.search(line):
            raise CameraError(f"the board says '{line}': try another --size, or reset the board")

    def _event(self, otherwise: str) -> str | Frame:
        """The next line or frame; where none comes in time an error that says ``otherwise``."""
        while not self._pending:
            # Also a board that talks without end, but not of frames, has to come to one.
            if time.monotonic() > self._deadline:
                cut = f"the frame stopped after {self._parser.missing}" if self._parser.missing else otherwise
                raise CameraError(f"serial port {self._port.port}: {cut} (waited {self._patience_s:g} s)")
            self._read()
        return self._pending.pop(0)
