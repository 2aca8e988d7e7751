"""Mutated words of a board: what the serial line does to them ends in a result or in one line."""

import struct

import numpy as np
import pytest

from maxexp.base.errors import BoardError
from maxexp.board.inference import InferenceClient
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
