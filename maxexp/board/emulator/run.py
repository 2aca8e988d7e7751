"""Run firmware on the emulated board until its serial output says how it went."""

from dataclasses import dataclass
from pathlib import Path

from maxexp.base.errors import BoardError
from maxexp.board.emulator.machine import SLICE_INSTRUCTIONS, Machine
from maxexp.board.serial_output import FirmwareResult, decode_serial, parse_output
from maxexp.chip.part import Part

INSTRUCTION_BUDGET = 200_000_000
"""Two hundred times what the longest known program takes; a second of pure computation."""


@dataclass(frozen=True)
class EmulatedRun:
    """What the emulated board says.

    Attributes:
        result: what the firmware said.
        layer_cycles: clock cycles of each layer by its registers, the start-up cycle first.
        runs: networks that the accelerator computed.
    """

    result: FirmwareResult
    layer_cycles: list[int]
    runs: int

    @property
    def cycles(self) -> int:
        """Returns the clock cycles of one inference."""
        return sum(self.layer_cycles)


def run_emulated(image: Path, part: Part, instructions: int = INSTRUCTION_BUDGET) -> EmulatedRun:
    """Runs firmware from power-up until it fails, sleeps for good, or has passed and goes on for ever.

    Args:
        image: flash content, as :func:`maxexp.board.firmware.build_firmware` leaves it.
        part: the chip that it is for.
        instructions: how many the processor may execute.

    Raises:
        BoardError: a register pattern or address without a known meaning, a crash, or an end without verdict.
    """
    output = bytearray()
    machine = Machine(image.read_bytes(), output.append, part)
    alive = True
    for _ in range(-(-instructions // SLICE_INSTRUCTIONS)):
        alive = machine.run_slice()
        if not alive or parse_output(decode_serial(bytes(output))).passed is False:
            break
    result = parse_output(decode_serial(bytes(output)))
    if result.passed is None:
        ending = f"within {instructions:,} instructions" if alive else "and sleeps"
        last = result.text.strip().splitlines()[-1:] or ["nothing"]
        raise BoardError(f"emulator: the firmware said neither PASS nor FAIL {ending}; its last words: {last[0]}")
    return EmulatedRun(result, machine.accelerator.layer_cycles, machine.accelerator.runs)


class EmulatedLine:
    """The serial line of an emulated board that runs on between reads, as :class:`maxexp.board.inference.Line`.

    Args:
        image: flash content.
        part: the chip that it is for.
        instructions: how many the processor may execute for one read; after that it gives what there is.
    """

    def __init__(self, image: Path, part: Part, instructions: int = INSTRUCTION_BUDGET) -> None:
        self._sent = bytearray()
        self._machine = Machine(image.read_bytes(), self._sent.append, part)
        self._slices = -(-instructions // SLICE_INSTRUCTIONS)

    def write(self, data: bytes) -> None:
        """Bytes to the board; it reads them when it runs."""
        self._machine.peripherals.received.extend(data)

    def read(self, size: int = 1) -> bytes:
        """Lets the board run until it has sent ``size`` bytes; fewer if it does not.

        Raises:
            BoardError: the firmware does what has no known meaning.
        """
        for _ in range(self._slices):
            if len(self._sent) >= size or not self._machine.run_slice() or self._machine.idle:
                break
        data = bytes(self._sent[:size])
        del self._sent[:size]
        return data
