"""A board on a USB port: firmware is written, the board reset, its serial line read.

Everything here was tried on pseudo-terminals, stand-in programs and folders. It has never touched silicon.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from serial import Serial

from maxexp.base.errors import BoardError, ConfigError
from maxexp.base.serial_port import open_port
from maxexp.board.compilers import find_compiler
from maxexp.board.config import BoardConfig, FlashMethod
from maxexp.board.firmware import (
    Firmware,
    build_firmware,
    build_firmware_with_sdk,
    find_sdk,
)
from maxexp.board.inference import Line
from maxexp.board.real import daplink, openocd
from maxexp.board.real.exclusive import exclusive_board
from maxexp.board.real.flash_command import flash_by_command
from maxexp.board.real.usb import PROBE_ID, find_port, probe_of
from maxexp.board.result import BoardRun
from maxexp.board.serial_output import FirmwareResult, decode_serial, parse_output
from maxexp.chip.part import Part

BAUD_RATE = 115200
QUIET_S = 0.5
"""Silence after which a firmware that gave its verdict has said all."""

log = logging.getLogger(__name__)


class RealBoard:
    """A :class:`maxexp.board.board.Board`.

    What is missing when it is made, the board itself or a program, is only warned of: it may be there by the time it
    is needed, and a run's other results do not depend on it.

    Raises:
        ConfigError: the board carries another part.
    """

    source = "measured"

    def __init__(self, config: BoardConfig, part: Part) -> None:
        assert config.connection is not None
        self.name = config.kind.name
        self._part, boards = part, part.tools.boards
        if self.name not in boards:
            raise ConfigError(f"board={self.name}: has no {part.name}; its boards are {', '.join(boards)}")
        self._connection, self._compiler = config.connection, config.compiler
        self._warn()

    def _warn(self) -> None:
        config = self._connection
        try:
            find_compiler(self._compiler)
            find_port(config)
            if config.flash is FlashMethod.openocd:
                openocd.check_openocd(config)
        except BoardError as error:
            log.warning("board %s cannot be used as things are: %s", self.name, error)

    def build(self, project: Path, folder: Path) -> Firmware:
        """Builds with the maker's SDK if there is one, else with our own hardware layer."""
        sdk = find_sdk()
        if sdk:
            return build_firmware_with_sdk(project, folder, sdk, self._part.tools.boards[self.name], self._part)
        log.info("no SDK of the maker (MAXIM_PATH): firmware gets our own hardware layer, which no board has run yet")
        return build_firmware(project, folder, self._part, compiler=self._compiler)

    def run(self, firmware: Firmware, transcript: Path) -> BoardRun:
        with self._started(firmware) as port:
            return BoardRun(read_result(port, self._connection.timeout_s, transcript))

    def serve(self, project: Path, folder: Path) -> AbstractContextManager[Line]:
        """The server has our own hardware layer in any case."""
        return self.talk(build_firmware(project, folder, self._part, server=True, compiler=self._compiler))

    @contextmanager
    def talk(self, firmware: Firmware) -> Iterator[Line]:
        with self._started(firmware) as port:
            port.timeout = self._connection.timeout_s
            yield port

    @contextmanager
    def _started(self, firmware: Firmware) -> Iterator[Serial]:
        """The serial port of the board while it runs firmware; nobody else has the board meanwhile."""
        config = self._connection
        found = find_port(config)
        probe = probe_of(config, found)
        # The port is open before the reset, so that not a word is missed.
        with (
            exclusive_board(found.device),
            open_port(found.device, BAUD_RATE, QUIET_S, BoardError) as port,
        ):
            log.info("board %s on %s: writing firmware (%s) ...", self.name, found.device, config.flash.name)
            if config.flash is FlashMethod.openocd:
                openocd.flash(config, probe, firmware.elf)
            elif config.flash is FlashMethod.daplink:
                daplink.flash(config, probe, firmware.hex)
                if found.ids == PROBE_ID:
                    # On the adapter's own port a break resets the part, wherever the adapter is set not to do that
                    # itself. Where it did, what the firmware has said so far is not of the run to come.
                    port.reset_input_buffer()
                    port.send_break()
            else:
                flash_by_command(config, firmware)
            yield port


def read_result(port: Serial, timeout_s: float, transcript: Path) -> FirmwareResult:
    """Reads until the firmware has said PASS or FAIL and all that follows.

    Args:
        port: with ``QUIET_S`` as its timeout.
        timeout_s: how long it may take to its verdict.
        transcript: file for all that comes, whatever it is.

    Raises:
        BoardError: no verdict in time; shows the board's last words.
        SerialException: the port is gone.
        OSError: the transcript cannot be written.
    """
    deadline = time.monotonic() + timeout_s
    said = bytearray()
    with transcript.open("wb") as file:
        while True:
            part = port.read(max(1, port.in_waiting))
            said += part
            file.write(part)
            file.flush()
            result = parse_output(decode_serial(bytes(said)))
            # A verdict without a start is one that an earlier firmware gave while this was being written.
            if result.started and result.passed is not None:
                if not part or time.monotonic() > deadline + timeout_s:
                    return result
            elif time.monotonic() > deadline:
                break
    last = (result.text.strip().splitlines() or [""])[-1][-80:]
    raise BoardError(
        f"serial port {port.port}: neither PASS nor FAIL within {timeout_s:g} s, "
        + (f"its last words: {last!r}" if last else "not a word")
        + "; reset the board, see that this is its port, or raise board.connection.timeout_s"
    )
