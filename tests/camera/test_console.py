"""The capture command on a pseudo-terminal, at whose other end a board plays the maker's example."""

import errno
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serial import SerialException

from maxexp.camera.frame import Frame
from maxexp.camera.stream import dump
from tests.camera.board import SYNC, Board, some_frame


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
        assert camera(*capture(fthr, "--stream")).code == 0
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
    monkeypatch.setattr("maxexp.base.serial_port.comports", lambda: [ListPortInfo("/dev/ttyACM0")])
    message = refused(*missing)
    assert message == f"serial port {tmp_path}/ttyACM7: No such file or directory; ports present: /dev/ttyACM0"
    monkeypatch.setattr("maxexp.base.serial_port.comports", lambda: [])
    assert refused(*missing).endswith("ports present: none, so connect the board")


def test_a_port_that_belongs_to_others(refused, tmp_path, monkeypatch):
    def deny(*_, **__):
        raise SerialException(errno.EACCES, "could not open port")

    monkeypatch.setattr("maxexp.base.serial_port.SerialPort", deny)
    message = refused("capture", "--port", "/dev/ttyACM0", "--out", tmp_path)
    assert "/dev/ttyACM0: Permission denied (on Linux: add yourself to the group that owns it" in message


def test_a_full_disk(refused, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "recorded.bin").write_bytes(dump(Frame("BAYER", 4, 2, bytes(8))))
    monkeypatch.setattr("maxexp.cli.camera.Path.write_bytes", full)
    arguments = ("capture", "--file", tmp_path / "recorded.bin", "--out", tmp_path / "frames")
    assert refused(*arguments) == f"{tmp_path}/frames: No space left on device"


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


def test_behind_a_frame_of_the_wrong_size_the_others_are_taken(camera, tmp_path):
    recorded = tmp_path / "recorded.bin"
    frame = Frame("BAYER", 4, 2, bytes(range(8)))
    recorded.write_bytes(b"*IMG* BAYER 8 4 3\n" + bytes(8) + 2 * dump(frame))
    done = camera("capture", "--file", recorded, "--out", tmp_path / "frames")
    assert done.code == 1 and "frame000.img: a frame of 4x3 pixels cannot be BAYER" in done.error
    assert [path.name for path in sorted(tmp_path.glob("frames/*.png"))] == ["frame001.png", "frame002.png"]
