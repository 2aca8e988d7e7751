"""Inference on request over a serial line, on a board or on the emulator: what on-board accuracy is measured with.

The other end is ``hal/programs/inference_server.c``, which also describes the protocol.
"""

import re
import struct
from math import ceil
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maxexp.errors import BoardError

_READY = re.compile(rb"\*\*\* Inference Server, (\d+) outputs \*\*\*\r?\n")
_PROCESSORS, _LANES = 64, 4
_DATA, _QUADRANT_STEP, _INSTANCE_STEP = 0x50400000, 0x400000, 0x8000
_QUADRANT_INSTANCES = 4


class Line(Protocol):
    """A serial line, as pyserial has it: reading ends early when its time is up."""

    def read(self, size: int = 1) -> bytes: ...

    def write(self, data: bytes) -> int | None: ...


class InferenceClient:
    """Asks a board for outputs.

    Args:
        line: to a board that was just reset.
        wide: whether outputs are 32-bit accumulators, else 8-bit values.

    Raises:
        BoardError: the board does not say that it is ready.
    """

    def __init__(self, line: Line, wide: bool) -> None:
        self._line = line
        self._wide = wide
        self.outputs = self._wait()

    def _wait(self) -> int:
        """Number of outputs, once the board says that it is ready."""
        said = b""
        while (found := _READY.search(said)) is None:
            byte = self._line.read(1)
            if not byte:
                raise BoardError(f"the board does not run the inference server; its last words: {said[-80:]!r}")
            said += byte
        return int(found[1])

    def __call__(self, image: NDArray[np.integer]) -> tuple[NDArray[np.int32], int]:
        """Outputs of one image, and the microseconds that the board took.

        Args:
            image: (C, H, W) integers from -128 to 127.

        Returns:
            int32 (outputs,), microseconds by the board's stopwatch.

        Raises:
            BoardError: no answer, or one that was disturbed on its way.
        """
        request = np.array(
            [word for start, words in input_blocks(image) for word in (start, len(words), *words)] + [0]
        )
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


def input_blocks(image: NDArray[np.integer]) -> list[tuple[int, list[int]]]:
    """Where an image goes: (address, words) for each data memory, on processors from 0 on (hardware.md 3.4).

    Four channels share a memory, a byte each; a pixel of more than 64 channels takes a word for each 64.
    """
    channels, rows, cols = image.shape
    passes = ceil(channels / _PROCESSORS)
    used = ceil(channels / passes)
    per_pass = used if passes == 1 else _LANES * ceil(used / _LANES)
    instances = ceil(per_pass / _LANES)
    lanes = np.zeros((passes, instances * _LANES, rows * cols), np.int8)
    for level in range(passes):
        part = image[level * per_pass : (level + 1) * per_pass]
        lanes[level, : len(part)] = part.reshape(len(part), -1)
    # (passes, instances, lanes, pixels) to words in the order of pixel and pass.
    words = lanes.reshape(passes, instances, _LANES, -1).transpose(1, 3, 0, 2).copy().view("<u4")
    return [
        (
            _DATA + i // _QUADRANT_INSTANCES * _QUADRANT_STEP + i % _QUADRANT_INSTANCES * _INSTANCE_STEP,
            words[i].reshape(-1).tolist(),
        )
        for i in range(instances)
    ]
