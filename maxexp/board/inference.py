"""Inference on request over a serial line, on a board or on the emulator: what on-board accuracy is measured with.

The other end is ``hal/programs/inference_server.c``, which also describes the protocol.
"""

import re
import struct
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maxexp.base.errors import BoardError
from maxexp.chip.input_words import input_words
from maxexp.chip.part import Part

_READY = re.compile(rb"\*\*\* Inference Server, (\d{1,5}) outputs \*\*\*\r?\n")
_LONGEST_READY = 80
_MOST_BEFORE_READY = 1 << 16
"""Bytes that a board may say before it is ready: what an earlier firmware was sending, and no more."""


class Line(Protocol):
    """A serial line, as pyserial has it: reading ends early when its time is up."""

    def read(self, size: int = 1) -> bytes: ...

    def write(self, data: bytes) -> int | None: ...


class InferenceClient:
    """Asks a board for outputs.

    Args:
        line: to a board that was just reset.
        part: the board's chip.
        wide: whether outputs are 32-bit accumulators, else 8-bit values.

    Raises:
        BoardError: the board does not say that it is ready.
    """

    def __init__(self, line: Line, part: Part, wide: bool) -> None:
        self._line = line
        self._part = part
        self._wide = wide
        self.outputs = self._wait()

    def _wait(self) -> int:
        """Returns the number of outputs, once the board says that it is ready."""
        said = b""
        for _ in range(_MOST_BEFORE_READY):
            byte = self._line.read(1)
            said = said[-_LONGEST_READY:] + byte
            if found := _READY.search(said):
                return int(found[1])
            if not byte:
                break
        raise BoardError(f"the board does not run the inference server; its last words: {said[-80:]!r}")

    def __call__(self, image: NDArray[np.int8]) -> tuple[NDArray[np.int32], int]:
        """Outputs of one image, and the microseconds that the board took.

        Args:
            image: int8 (C, H, W).

        Returns:
            int32 (outputs,), microseconds by the board's stopwatch.

        Raises:
            BoardError: no answer, or one that was disturbed on its way.
        """
        blocks = [
            piece
            for start, words in input_blocks(image, self._part).items()
            for piece in ([start, len(words)], words)
        ]
        request = np.concatenate([*blocks, [0]])
        self._line.write(request.astype("<u4").tobytes())
        size = 4 * (self.outputs + 3)
        answer = self._line.read(size)
        if len(answer) < size:
            raise BoardError(
                f"the board answered an image with {len(answer)} of {size} bytes; reset it and try again"
            )
        words = struct.unpack(f"<{size // 4}I", answer)
        if words[0] != int(request.sum()) & 0xFFFFFFFF or words[-1] != sum(words[:-1]) & 0xFFFFFFFF:
            raise BoardError("the serial line to the board disturbed an image or its outputs; reset it and try again")
        raw = np.array(words[2:-1], "<u4")
        values = raw.view("<i4") if self._wide else raw.view(np.int8)[: self.outputs]
        return values.astype(np.int32), words[1]


def input_blocks(image: NDArray[np.int8], part: Part) -> dict[int, NDArray[np.uint32]]:
    """Words of an image, int8 (C, H, W), by the address where they go: on processors from 0 on."""
    used, lanes = range(part.processors.used(len(image))), part.processors.per_instance
    return {part.instance_address(first // lanes): words for first, words in input_words(image, used, part).items()}
