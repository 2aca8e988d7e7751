"""Drag and drop: the debug adapter shows a USB drive, and writes what is copied onto it into the part.

When it is done the drive goes away and comes back, with FAIL.TXT on it if there was an error (DAPLink users' guide;
docs/hardware.md, Flashing). Tried on folders that behave so, not on a board.
"""

import os
import time
from pathlib import Path

from maxexp.base.bounded import read_bounded
from maxexp.base.errors import BoardError, FormatError
from maxexp.board.config import ConnectionConfig
from maxexp.board.real.usb import MAX_DETAILS_BYTES, drive_id, drives

FAILURE = "FAIL.TXT"
POLL_S = 0.1
LONGEST_CAUSE = 300


def find_drive(config: ConnectionConfig, probe: str | None) -> Path:
    """Returns where the adapter's drive is mounted.

    Raises:
        BoardError: nowhere, or there are several.
    """
    if config.drive:
        folder = Path(config.drive).expanduser()
        if drive_id(folder) is None:
            raise BoardError(f"board.connection.drive={config.drive}: no DAPLink drive, it has no DETAILS.TXT")
        return folder
    found = drives()
    matching = [folder for folder, unique_id in found.items() if probe in (None, unique_id)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise BoardError(
            f"several DAPLink drives are mounted: {', '.join(map(str, matching))}; choose one with "
            "board.connection.drive=..."
        )
    raise BoardError(
        "no DAPLink drive is mounted; mount the one that the board shows, or name it with board.connection.drive=..."
    )


def flash(config: ConnectionConfig, probe: str | None, program: Path) -> None:
    """Copies a program (.hex or .bin) onto the drive and waits until it is in the part.

    Raises:
        BoardError: there is no drive, the copy fails, or the adapter reports an error or does not come back.
    """
    drive = find_drive(config, probe)
    copy = drive / program.name
    try:
        with copy.open("wb") as target:
            target.write(program.read_bytes())
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise BoardError(f"copying firmware to {drive} failed: {error.strerror or error}") from error
    deadline = time.monotonic() + config.flash_timeout_s
    # An earlier FAIL.TXT stays there until the drive has come back.
    while _exists(copy) or drive_id(drive) is None:
        if time.monotonic() > deadline:
            raise BoardError(
                f"{drive} did not come back within {config.flash_timeout_s} s of copying firmware; is it mounted "
                "again by itself? If not, use board.connection.flash=openocd"
            )
        time.sleep(POLL_S)
    if _exists(drive / FAILURE):
        raise BoardError(failure_on(drive))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False  # a drive that is just going away


def failure_on(drive: Path) -> str:
    """Returns what went wrong, in one line, by the file on the drive."""
    try:
        text = read_bounded(drive / FAILURE, MAX_DETAILS_BYTES).decode(errors="replace")
    except (OSError, FormatError):
        text = ""
    cause = " ".join(text.split())[:LONGEST_CAUSE] or "it does not say why"
    return f"the debug adapter could not write firmware: {cause}"
