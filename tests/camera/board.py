"""A board on a pseudo-terminal that plays the maker's capture example."""

import os
import re
import threading
import time
import tty
from collections.abc import Callable

import numpy as np

from maxexp.camera.frame import Frame
from maxexp.camera.stream import dump

SYNC = b"*SYNC*"
SYNC_PERIOD_S = 0.1  # 0.5 on a board
FIFO = 8  # bytes that wait in the board's receiver; it loses what comes beyond
HELP = b"Registered 7 total commands:\n-----\n\t'help' : Print this help string\n-----\n".splitlines(keepends=True)


class Board:
    """Says and answers what ImgCapture does, in the order and with the separators of its console.c and main.c.

    Attributes:
        synced: whether a host has answered ``*SYNC*``.
        commands: all lines received since then.
        before: bytes on the line before the answer to each frame command.
        answer: what a frame command is answered with, by width, height and number of the frame.
    """

    def __init__(self, synced: bool) -> None:
        self.synced = synced
        self.commands: list[str] = []
        self.before = b""
        self.answer: Callable[[int, int, int], list[bytes]] = self.frame
        self.size = (8, 6)
        self._heard = b""
        self.host, line = os.openpty()
        os.set_blocking(self.host, False)
        tty.setraw(line)
        self.port = os.ttyname(line)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @staticmethod
    def frame(width: int, height: int, number: int) -> list[bytes]:
        """A frame, its header and data in pieces, and what the example prints around it."""
        whole = dump(some_frame(width, height, number))
        parts = [whole[start : start + 7] for start in range(0, len(whole), 7)]
        return [b"Capturing image\n", b"OVERFLOW = 0\n", *parts, b"Done! (serial transmission took 9 us)\n"]

    def unplug(self) -> None:
        os.close(self.host)
        self.host = -1

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        if self.host >= 0:
            os.close(self.host)

    def say(self, *parts: bytes) -> None:
        for part in parts:
            os.write(self.host, part)
            time.sleep(0.001)
        self._hear(FIFO)

    def _hear(self, most: int) -> None:
        """Takes in what has come, and loses what is more."""
        try:
            self._heard += os.read(self.host, 4096)[:most]
        except BlockingIOError:
            time.sleep(0.001)

    def _run(self) -> None:
        said = 0.0
        try:
            while not self._stop.is_set():
                if not self.synced and time.monotonic() > said + SYNC_PERIOD_S:
                    # As in console_init: what came in since the last time must be the word and nothing else.
                    if self._heard == SYNC:
                        self.synced, self._heard = True, b""
                        self.say(b"Established communications with host!\n", *HELP)
                        self.say(b"Camera ID detected: 7fa2\n", b"Ready!\n")
                        continue
                    self._heard, said = b"", time.monotonic()
                    self.say(SYNC + b"\n")
                self._hear(4096)
                while self.synced and b"\n" in self._heard:
                    line, _, self._heard = self._heard.partition(b"\n")
                    self._obey(line.decode())
        except OSError:
            pass  # unplugged

    def _obey(self, line: str) -> None:
        self.commands.append(line)
        if line in ("", "help"):  # an empty line begins like any command, and help is the first
            self.say(*HELP)
        elif match := re.fullmatch(r"imgres (\d+) (\d+)", line):
            self.size = (int(match[1]), int(match[2]))
            self.say(f"Set image resolution to width {match[1]}, height {match[2]}\n".encode())
        elif line in ("capture", "stream"):
            number = sum(line in ("capture", "stream") for line in self.commands) - 1
            self.say(self.before, *self.answer(*self.size, number))
        else:
            self.say(f"Uknown command '{line}'\n".encode())


def some_frame(width: int, height: int, number: int) -> Frame:
    data = np.random.default_rng(number).integers(0, 256, width * height * 2, np.uint8)
    data[:10] = np.frombuffer(b"\n*IMG* x\r\n", np.uint8)  # pixels can look like text
    return Frame("RGB565", width, height, data.tobytes())
