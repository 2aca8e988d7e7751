"""The result of firmware that ran on a board."""

from dataclasses import dataclass

from maxexp.board.serial_output import FirmwareResult

SERIAL_LOG = "serial.txt"
"""File for all that a board says."""


@dataclass(frozen=True)
class BoardRun:
    """What firmware said, and the cycles of one inference where the board counts them."""

    result: FirmwareResult
    cycles: int | None = None
