"""What is plugged in: serial ports, and the USB drives of debug adapters (docs/hardware.md, Flashing)."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import psutil
from serial.tools.list_ports import comports

from maxexp.base.bounded import read_bounded
from maxexp.base.errors import BoardError, FormatError
from maxexp.board.config import ConnectionConfig

PROBE_ID = "0d28:0204"
"""Of the DAPLink debug adapter; its serial port has the same serial number as itself."""

MAX_DETAILS_BYTES = 1 << 16
"""Of a drive's text files, which have some lines."""

LONGEST_ID = 64
_UNIQUE_ID = re.compile(rf"Unique ID:[ \t]*(\S{{1,{LONGEST_ID}}})")


@dataclass(frozen=True)
class UsbPort:
    """A serial port: its device, USB ids as ``0d28:0204`` (empty where it has none), serial number, product."""

    device: str
    ids: str
    serial_number: str | None
    product: str


def serial_ports() -> list[UsbPort]:
    """All serial ports of this machine, by name."""
    found = [
        UsbPort(
            port.device,
            "" if port.vid is None else f"{port.vid:04x}:{port.pid:04x}",
            port.serial_number,
            port.product or port.description or "",
        )
        for port in comports()
    ]
    return sorted(found, key=lambda port: port.device)


def find_port(config: ConnectionConfig) -> UsbPort:
    """The board's serial port: the named one, else the only one with the board's USB ids.

    Raises:
        BoardError: there is none, or there are several.
    """
    present = serial_ports()
    if config.port:
        device = os.path.realpath(config.port)
        known = (port for port in present if device == os.path.realpath(port.device))
        return next(known, UsbPort(config.port, "", None, ""))
    ids = [wanted.lower() for wanted in config.port_ids]
    found = [port for port in present if port.ids in ids]
    if config.probe and len(found) > 1:
        # Ports with other ids, such as a bridge's, have serial numbers of their own.
        found = [port for port in found if port.ids != PROBE_ID or port.serial_number == config.probe]
    if len(found) == 1:
        return found[0]
    if found:
        ports = ", ".join(f"{port.device} ({port.ids}, serial number {port.serial_number})" for port in found)
        raise BoardError(
            f"several serial ports may be the board's: {ports}; choose one with board.connection.port=..."
        )
    others = ", ".join(port.device for port in present) or "none at all"
    raise BoardError(
        f"no board found: no serial port has a USB id of {', '.join(ids)} (ports: {others}); connect the board, or "
        "name its port with board.connection.port=..."
    )


def probe_of(config: ConnectionConfig, port: UsbPort) -> str | None:
    """Returns the serial number of the board's debug adapter; None if nothing says it and any will do."""
    return config.probe or (port.serial_number if port.ids == PROBE_ID else None)


def drives() -> dict[Path, str]:
    """Returns the mounted drives of DAPLink adapters, and each one's serial number."""
    found = {}
    for partition in psutil.disk_partitions():
        unique_id = drive_id(Path(partition.mountpoint))
        if unique_id is not None:
            found[Path(partition.mountpoint)] = unique_id
    return found


def drive_id(folder: Path) -> str | None:
    """Returns the serial number of the adapter whose drive this is; None if it is none, or away at the moment."""
    try:
        details = read_bounded(folder / "DETAILS.TXT", MAX_DETAILS_BYTES)
    except (OSError, FormatError):
        return None
    found = _UNIQUE_ID.search(details.decode(errors="replace"))
    return found[1] if found else None
