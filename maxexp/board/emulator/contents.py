"""What firmware writes into the accelerator before it starts it, for comparing one firmware with another.

Memories hold the same arbitrary numbers after every power-up of an emulated part. So two firmwares that write the
same have equal contents, and an entry that only one of them writes differs.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maxexp.base.errors import BoardError
from maxexp.board.emulator.accelerator import Accelerator
from maxexp.board.emulator.machine import Machine
from maxexp.board.emulator.registers import Reg
from maxexp.chip.part import Part

SLICES = 2000
"""Slices of the processor's time in which firmware has to start the accelerator."""


@dataclass(frozen=True)
class Contents:
    """Registers and memories of the accelerator, without its data memories.

    Attributes:
        layer_counts: (quadrants,) of the control registers.
        registers: uint32 (quadrants, layers, registers).
        kernels: uint8 (processors, columns, bytes).
        biases: int8 (quadrants, entries).
    """

    layer_counts: NDArray[np.uint32]
    registers: NDArray[np.uint32]
    kernels: NDArray[np.uint8]
    biases: NDArray[np.int8]

    def digests(self) -> dict[str, str]:
        """A short hash of each kind of memory."""
        return {
            "registers": _digest(self.layer_counts, self.registers),
            "kernels": _digest(self.kernels),
            "biases": _digest(self.biases),
        }

    def differences(self, other: "Contents") -> list[str]:
        """Returns where another firmware's contents differ, one line for each register, column and bias."""
        found = []
        for (quadrant,) in np.argwhere(self.layer_counts != other.layer_counts):
            ours, theirs = self.layer_counts[quadrant], other.layer_counts[quadrant]
            found.append(f"quadrant {quadrant}: layer count {ours} and {theirs}")
        for quadrant, layer, number in np.argwhere(self.registers != other.registers):
            ours, theirs = self.registers[quadrant, layer, number], other.registers[quadrant, layer, number]
            name = f"layer {layer}, quadrant {quadrant}, {Reg(number).name}"
            found.append(f"{name}: 0x{ours:08x} and 0x{theirs:08x}")
        for processor, column in np.argwhere((self.kernels != other.kernels).any(2)):
            columns = [x[processor, column].tobytes().hex() for x in (self.kernels, other.kernels)]
            found.append(f"kernels of processor {processor}, column {column}: {columns[0]} and {columns[1]}")
        for quadrant, entry in np.argwhere(self.biases != other.biases):
            ours, theirs = int(self.biases[quadrant, entry]), int(other.biases[quadrant, entry])
            found.append(f"quadrant {quadrant}, bias {entry}: {ours} and {theirs}")
        return found


def contents_of(accelerator: Accelerator) -> Contents:
    """Returns what an accelerator holds now."""
    counts = np.array(accelerator.layer_counts, np.uint32)
    return Contents(counts, accelerator.registers, accelerator.kernels.contents(), accelerator.biases.copy())


def contents_after(stores: Iterable[tuple[int, int, int]], part: Part) -> Contents:
    """Returns what stores of (address, value, bytes) leave in an accelerator after power-up."""
    accelerator = Accelerator(part)
    for address, value, size in stores:
        accelerator.write(address, value, size)
    return contents_of(accelerator)


def contents_at_start(image: Path, part: Part) -> Contents:
    """Returns what firmware has written when it starts the accelerator for the first time.

    Args:
        image: flash content.

    Raises:
        BoardError: the firmware never starts it.
    """
    machine = Machine(image.read_bytes(), lambda byte: None, part)
    for _ in range(SLICES):
        alive = machine.run_slice()
        if machine.accelerator.runs:
            # The start is one store, at the end of which the network is done; it changes none of these memories.
            return contents_of(machine.accelerator)
        if not alive:
            break
    raise BoardError(f"emulator: {image} never starts the accelerator")


def _digest(*arrays: NDArray) -> str:
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:16]
