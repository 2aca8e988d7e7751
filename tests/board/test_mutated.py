"""Mutated words of a board: what the serial line does to them ends in a result or in one line."""

import struct

import numpy as np
import pytest

from maxexp.base.errors import BoardError
from maxexp.board.inference import InferenceClient
from maxexp.board.real.daplink import failure_on
from maxexp.board.real.openocd import failure
from maxexp.board.real.usb import LONGEST_ID, drive_id
from maxexp.board.serial_output import decode_serial, parse_output
from maxexp.chip.parts.max78000 import PART as MAX78000
from tests.board.test_serial_output import FAILED, PASSED
from tests.fuzz import fuzz, mutated

IMAGE = np.arange(12, dtype=np.int8).reshape(3, 2, 2)
WORDS = [
    b"*** CNN Inference Test ",
    b"*** PASS ***",
    b"us\r\n",
    b"-> Class 1: 9.9%",
    b"[  5] -> Class 9: 1.0%",
    b"[-",
]
READY = b"*** Inference Server, 2 outputs ***\r\n"


class Recorded:
    """A line with all that a board will say; what is written to it is kept."""

    def __init__(self, said: bytes) -> None:
        self.said, self.written = said, b""

    def read(self, size: int = 1) -> bytes:
        data, self.said = self.said[:size], self.said[size:]
        return data

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)


def test_serial_output():
    fuzz("serial output", lambda data: parse_output(decode_serial(data)), mutated([PASSED, FAILED], WORDS))


def answer(*outputs: int) -> bytes:
    """The server's answer to IMAGE."""
    line = Recorded(READY + bytes(4 * 5))
    with pytest.raises(BoardError):
        InferenceClient(line, MAX78000, wide=True)(IMAGE)
    words = [int(np.frombuffer(line.written, "<u4").sum()) & 0xFFFFFFFF, 17, *outputs]
    return struct.pack(f"<{len(words) + 1}I", *words, sum(words) & 0xFFFFFFFF)


@pytest.mark.parametrize("wide", [False, True])
def test_inference_client(wide):
    good = [b"noise" + READY + 2 * answer(5, 7)]

    def ask(said: bytes) -> None:
        client = InferenceClient(Recorded(said), MAX78000, wide)
        for _ in range(2):
            client(IMAGE)

    ask(good[0])
    fuzz(f"inference client, {'32' if wide else '8'} bits", ask, mutated(good, [READY, answer(0, 1)]))


class Chatterbox:
    """A board that never stops talking of something else."""

    def read(self, size: int = 1) -> bytes:
        return b"x" * size

    def write(self, data: bytes) -> int:
        return len(data)


def test_a_board_that_talks_without_end_is_not_listened_to_for_ever():
    with pytest.raises(BoardError, match="does not run the inference server; its last words: b'xxx"):
        InferenceClient(Chatterbox(), MAX78000, wide=True)


OPENOCD = [
    b"Open On-Chip Debugger 0.11.0\nInfo : CMSIS-DAP: SWD\nError: Error connecting DP: cannot read IDR\n",
    b"embedded:startup.tcl:26: Error: Can't find target/max78000.cfg\nin procedure 'script'\n** Failed **\n",
    b"Error: unable to find a matching CMSIS-DAP device\n",
]


def test_what_openocd_says():
    words = [
        b"Error: ",
        b"Can't find ",
        b"{",
        b"}",
        b"{0}",
        b"{x!r}",
        b"unable to find ",
        b"\r",
        b"LIBUSB_ERROR_ACCESS",
    ]

    def explain(data: bytes) -> None:
        raise BoardError(failure("writing firmware", data.decode(errors="replace")))

    fuzz("OpenOCD's messages", explain, mutated(OPENOCD, words))
    for text in (*OPENOCD, b"", b"\n", b" error \n" * 10**5, b"unable to find " * 10**5):
        assert len(failure("writing firmware", text.decode())) < 500


def test_what_a_daplink_drive_says(tmp_path):
    details = b"# DAPLink Firmware - see https://mbed.com/daplink\r\nUnique ID: 04441702\r\nHIC ID: 97969908\r\n"
    failed = b"error: File sent out of order by PC. Target might not be programmed correctly.\r\ntype: user\r\n"

    def read(data: bytes) -> None:
        for name in ("DETAILS.TXT", "FAIL.TXT"):
            (tmp_path / name).write_bytes(data)
        found = drive_id(tmp_path)
        assert found is None or (found and "\n" not in found and len(found) <= LONGEST_ID)
        raise BoardError(failure_on(tmp_path))

    fuzz("DAPLink's files", read, mutated([details, failed], [b"Unique ID:", b"\r\n", b" " * 5000, b"x" * 5000]))
