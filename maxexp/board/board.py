"""What a board can do for the deploy stage, whether it is real or emulated."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from maxexp.board.config import BoardConfig, BoardKind
from maxexp.board.firmware import Firmware
from maxexp.board.inference import Line
from maxexp.board.result import BoardRun
from maxexp.chip.part import Part


class Board(Protocol):
    """A place where firmware runs.

    Attributes:
        name: of the board, as on the command line.
        source: what kind of evidence its figures are, for the tag ``hw.source``.
    """

    name: str
    source: str

    def build(self, project: Path, folder: Path) -> Firmware:
        """Builds a generated project for this board. Raises BoardError."""

    def run(self, firmware: Firmware, transcript: Path) -> BoardRun:
        """Runs firmware until it says how it went; the file ``transcript`` gets all of it. Raises BoardError."""

    def talk(self, firmware: Firmware) -> AbstractContextManager[Line]:
        """Starts firmware and gives the line to it; a real board keeps it afterwards. Raises BoardError."""

    def serve(self, project: Path, folder: Path) -> AbstractContextManager[Line]:
        """Runs the inference server of a generated project, built in ``folder``, on a line. Raises BoardError."""


def open_board(config: BoardConfig, part: Part) -> Board:
    """The board of a configuration; a real one need not be connected yet.

    Raises:
        BoardError: the emulated board lacks the compiler.
        ConfigError: the board carries another part, or the part cannot be emulated.
    """
    # Only here: the emulator needs Unicorn, a real board pyserial, and most runs neither.
    if config.kind is BoardKind.emulated:
        from maxexp.board.emulated import EmulatedBoard

        return EmulatedBoard(part, config.compiler)
    from maxexp.board.real.board import RealBoard

    return RealBoard(config, part)
