"""The board that runs the network, and how it is reached."""

import re
from dataclasses import dataclass, field
from enum import Enum

from maxexp.base.errors import ConfigError
from maxexp.base.frozen import frozen
from maxexp.base.roles import EVIDENCE, MACHINE, PLACE


class BoardKind(Enum):
    """Boards that the deploy stage knows."""

    none = "none"
    emulated = "emulated"
    max78000fthr = "max78000fthr"
    max78000evkit = "max78000evkit"


class Application(Enum):
    """What firmware does beside the known-answer test."""

    none = "none"
    serial = "serial"
    """Takes inputs over the serial line, and answers with what the network makes of them."""
    camera = "camera"
    """Takes pictures with the board's camera, and says what the network makes of them."""


class CompilerName(Enum):
    """Compilers of firmware."""

    auto = "auto"
    """GNU's if it is installed, else Zig's."""
    gnu = "gnu"
    zig = "zig"


class FlashMethod(Enum):
    """How firmware gets onto a board."""

    openocd = "openocd"
    daplink = "daplink"
    command = "command"


@frozen
@dataclass
class ConnectionConfig:
    """How a real board is reached over USB.

    Attributes:
        port: serial port, e.g. ``/dev/ttyACM0``; found by ``port_ids`` if not given.
        port_ids: USB ids (``vendor:product``, hexadecimal) of the serial port.
        probe: serial number of the debug adapter, needed where several are connected.
        flash: how firmware is written.
        openocd: the program; must be the maker's fork, others do not know the part (docs/hardware.md, Flashing). By
        default that
            of the maker's SDK if there is one, else the one on PATH.
        openocd_scripts: its folder of scripts; that of the maker's SDK (MAXIM_PATH) if there is one, else its own.
        openocd_files: the scripts for adapter and part.
        drive: where the adapter's USB drive is mounted; found by its DETAILS.TXT if not given.
        command: a command of the user's that writes and starts firmware; ``{elf}``, ``{hex}`` and ``{bin}`` stand
            for its files.
        flash_timeout_s: seconds that writing may take.
        timeout_s: seconds after the reset in which the firmware has to say PASS or FAIL.
    """

    port: str | None = None
    port_ids: list[str] = field(default_factory=lambda: ["0d28:0204"])
    probe: str | None = None
    flash: FlashMethod = FlashMethod.openocd
    openocd: str = "openocd"
    openocd_scripts: str | None = None
    openocd_files: list[str] = field(default_factory=lambda: ["interface/cmsis-dap.cfg", "target/max78000.cfg"])
    drive: str | None = None
    command: str | None = None
    flash_timeout_s: int = 120
    timeout_s: int = 15

    def __post_init__(self) -> None:
        key = "board.connection"
        for wrong in [ids for ids in self.port_ids if not re.fullmatch("[0-9a-fA-F]{4}:[0-9a-fA-F]{4}", ids)]:
            raise ConfigError(f"{key}.port_ids: {wrong} is not of the form 0d28:0204")
        if self.flash is FlashMethod.command and not self.command:
            raise ConfigError(f"{key}.flash=command: give the command as {key}.command='mytool --write {{elf}}'")
        for name in ("flash_timeout_s", "timeout_s"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{key}.{name}={getattr(self, name)}: must be above 0")


@frozen
@dataclass
class BoardConfig:
    """Keys of the deploy stage.

    Attributes:
        kind: ``none`` skips the stage, ``emulated`` runs firmware in software.
        compiler: what builds firmware; where the maker's SDK is used, that brings its own.
        images: how many test images are classified on the board, spread over classes; None for all, 0 for none.
        application: what is written beside the known-answer test, and left running on a real board.
        connection: how a real board is reached.
    """

    kind: BoardKind = field(default=BoardKind.none, metadata=EVIDENCE)
    compiler: CompilerName = field(default=CompilerName.auto, metadata=MACHINE)
    images: int | None = 100
    application: Application = field(default=Application.none, metadata=MACHINE)
    connection: ConnectionConfig | None = field(default=None, metadata=PLACE)

    def __post_init__(self) -> None:
        if self.images is not None and self.images < 0:
            raise ConfigError(f"board.images={self.images}: must not be negative; null takes all test images")
        if self.application is Application.camera and self.kind is BoardKind.max78000evkit:
            raise ConfigError(
                "board.application=camera: is for the MAX78000FTHR; choose board=max78000fthr, board=emulated, or "
                "board.application=serial"
            )
        if self.kind not in (BoardKind.none, BoardKind.emulated) and self.connection is None:
            raise ConfigError(f"board.connection: board={self.kind.name} needs it; do not set it to null")
