"""The capture command on a pseudo-terminal, at whose other end a board plays the maker's example."""

import os
import re
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maxexp.camera.frame import Frame
from maxexp.camera.stream import dump

SYNC = b"*SYNC*"
SYNC_PERIOD_S = 0.1  # 0.5 on a board
HELP = b"Registered 7 total commands:\n-----\n\t'help' : Print this help string\n-----\n"


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
        self.host, line = os.openpty()
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

    def _run(self) -> None:
        os.set_blocking(self.host, False)
        heard, said = b"", 0.0
        try:
            while not self._stop.is_set():
                if not self.synced and time.monotonic() > said + SYNC_PERIOD_S:
                    # As in console_init: what came in since the last time must be the word and nothing else.
                    if heard == SYNC:
                        self.synced, heard = True, b""
                        self.say(b"Established communications with host!\n", HELP)
                        self.say(b"Camera ID detected: 7fa2\n", b"Ready!\n")
                        continue
                    heard, said = b"", time.monotonic()
                    self.say(SYNC + b"\n")
                try:
                    heard += os.read(self.host, 8)  # the size of the board's receive buffer
                except BlockingIOError:
                    time.sleep(0.005)
                while self.synced and b"\n" in heard:
                    line, _, heard = heard.partition(b"\n")
                    self._obey(line.decode())
        except OSError:
            pass  # unplugged

    def _obey(self, line: str) -> None:
        self.commands.append(line)
        if line in ("", "help"):  # an empty line begins like any command, and help is the first
            self.say(HELP)
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


@pytest.fixture
def board():
    boards = []

    def board(synced: bool) -> Board:
        boards.append(Board(synced))
        return boards[-1]

    yield board
    for each in boards:
        each.close()


@pytest.fixture
def capture(tmp_path) -> Callable[..., tuple]:
    """The arguments of a capture from a board."""

    def capture(board: Board, *options: object, timeout: float = 10) -> tuple:
        return ("capture", "--port", board.port, "--out", tmp_path / "frames", "--timeout", timeout, *options)

    return capture


def frames(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("frames/*.img"))]


@pytest.mark.parametrize("synced", [False, True], ids=["after reset", "running"])
def test_two_frames_in_a_row(board, capture, camera, tmp_path, synced):
    fthr = board(synced)
    fthr.before = bytes(range(256)) + b"*IMG* nothing\n\xff"
    done = camera(*capture(fthr, "--size", "16x12", "--frames", 2))
    assert (done.code, done.error) == (0, "")
    expected = [some_frame(16, 12, number) for number in range(2)]
    assert frames(tmp_path) == [dump(frame) for frame in expected]
    assert [line for line in fthr.commands if line not in ("", "help")] == ["imgres 16 12", "capture", "capture"]
    with Image.open(tmp_path / "frames" / "frame001.png") as picture:
        assert np.array_equal(np.asarray(picture), expected[1].pixels())
    assert done.out.splitlines()[1] == f"{tmp_path}/frames/frame001.img: RGB565 16x12"


def test_streamed_frames_end_in_a_whole_buffer_and_numbers_go_on(board, capture, camera, tmp_path):
    fthr = board(synced=True)
    fthr.answer = lambda width, height, number: [dump(some_frame(width, height, number)) + bytes(160)]
    for _ in range(2):
        assert camera(*capture(fthr, "--command", "stream")).code == 0
    assert frames(tmp_path) == [dump(some_frame(8, 6, number)) for number in range(2)]
    assert fthr.commands.count("stream") == 2


def test_a_board_that_says_nothing(board, capture, refused):
    fthr = board(synced=True)
    fthr._obey = lambda line: None
    assert "no answer; is the maker's ImgCapture example on the board" in refused(*capture(fthr, timeout=0.3))


def test_other_firmware_that_talks_without_end(board, capture, refused):
    fthr = board(synced=True)
    fthr._obey = lambda line: [fthr.say(b"Hello World!\n") for _ in range(2000) if not fthr._stop.is_set()]
    assert "no answer" in refused(*capture(fthr, timeout=0.3))


def test_a_frame_that_does_not_come(board, capture, refused):
    fthr = board(synced=True)
    fthr.answer = lambda *_: [b"Capturing image\n"]
    assert "no frame after 'capture' (waited 0.5 s)" in refused(*capture(fthr, timeout=0.5))


def test_a_frame_that_stops(board, capture, refused):
    fthr = board(synced=True)
    fthr.answer = lambda *size: [dump(some_frame(*size))[:-1]]
    assert "the frame stopped after 95 of 96 bytes" in refused(*capture(fthr, timeout=0.5))


@pytest.mark.parametrize(
    "line", ["Failed to configure camera!  Error -1", "Uknown command 'xcapture'", "OVERFLOW = 3"]
)
def test_what_the_board_refuses_is_passed_on(board, capture, refused, line):
    fthr = board(synced=True)
    fthr.answer = lambda *size: [line.encode() + b"\n", dump(some_frame(*size))]
    assert f"the board says '{line}'" in refused(*capture(fthr))


def test_a_board_that_restarts(board, capture, refused):
    fthr = board(synced=True)
    fthr.answer = lambda *_: [SYNC + b"\n"]
    assert "the board restarted before the frame was there" in refused(*capture(fthr))


def test_a_board_that_is_unplugged(board, capture, refused):
    fthr = board(synced=True)
    fthr.answer = lambda *_: [fthr.unplug()]
    assert f"serial port {fthr.port}: " in refused(*capture(fthr))


def test_a_port_that_is_not_there(refused, tmp_path, monkeypatch):
    from serial.tools.list_ports_common import ListPortInfo

    missing = ("capture", "--port", tmp_path / "ttyACM7", "--out", tmp_path)
    monkeypatch.setattr("maxexp.camera.console.comports", lambda: [ListPortInfo("/dev/ttyACM0")])
    message = refused(*missing)
    assert "No such file or directory" in message and message.endswith("ports present: /dev/ttyACM0")
    monkeypatch.setattr("maxexp.camera.console.comports", lambda: [])
    assert refused(*missing).endswith("ports present: none, so connect the board")


def test_a_frame_of_the_wrong_size_is_kept_and_the_mistake_named(board, capture, refused, tmp_path):
    fthr = board(synced=True)
    fthr.answer = lambda *_: [b"*IMG* RGB565 10 8 6\n0123456789"]
    assert "frame000.img: 10 bytes are not a frame of 8x6 pixels" in refused(*capture(fthr))
    assert frames(tmp_path) == [b"*IMG* RGB565 10 8 6\n0123456789"]


def test_frames_of_a_recorded_stream(camera, refused, tmp_path):
    recorded = tmp_path / "recorded.bin"
    frame = Frame("BAYER", 4, 2, bytes(range(8)))
    recorded.write_bytes(b"Ready!\n" + 2 * dump(frame) + b"Done!\n" + dump(frame)[:-2])
    arguments = ("capture", "--file", recorded, "--out", tmp_path / "frames")
    message = refused(*arguments, "--format", "grayscale")
    assert message == f"{recorded}: the stream ends within a frame, after 6 of 8 bytes: record it again"
    assert frames(tmp_path) == [b"*IMG* GRAYSCALE 8 4 2\n" + bytes(range(8))] * 2
    with Image.open(tmp_path / "frames" / "frame001.png") as picture:
        assert picture.mode == "L" and picture.tobytes() == bytes(range(8))
