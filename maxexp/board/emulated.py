"""The emulated board: firmware runs on a chip in software."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from maxexp.board.compilers import find_compiler
from maxexp.board.config import CompilerName
from maxexp.board.emulator.run import EmulatedLine, run_emulated
from maxexp.board.firmware import Firmware, build_firmware
from maxexp.board.inference import Line
from maxexp.board.result import BoardRun
from maxexp.chip.part import Part


class EmulatedBoard:
    """A :class:`maxexp.board.board.Board`. Raises BoardError if there is no compiler, ConfigError if the
    part has no emulator.
    """

    name = "emulated"
    source = "emulated"

    def __init__(self, part: Part, compiler: CompilerName = CompilerName.auto) -> None:
        # Both are refused here already, before a network is trained for the board.
        self._part, _, _ = part, part.addresses, part.tools
        self._compiler = compiler
        find_compiler(compiler)

    def build(self, project: Path, folder: Path) -> Firmware:
        """Builds with our own hardware layer: the emulator knows no more registers than that uses."""
        return build_firmware(project, folder, self._part, compiler=self._compiler)

    def run(self, firmware: Firmware, transcript: Path) -> BoardRun:
        run = run_emulated(firmware.image, self._part)
        transcript.write_text(run.result.text)
        return BoardRun(run.result, run.cycles)

    @contextmanager
    def talk(self, firmware: Firmware) -> Iterator[Line]:
        yield EmulatedLine(firmware.image, self._part)

    def serve(self, project: Path, folder: Path) -> AbstractContextManager[Line]:
        return self.talk(build_firmware(project, folder, self._part, server=True, compiler=self._compiler))
