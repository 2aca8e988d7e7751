"""OpenOCD, the maker's fork of it: writes firmware, resets, and erases a board that nothing else reaches.

Command lines as in docs/hardware.md, Flashing. The maker's program was run as far as it goes without a board: it
takes these
command lines, and says that there is no debug adapter.
"""

import os
import re
from pathlib import Path
from shutil import which

from maxexp.base.errors import BoardError
from maxexp.base.languages.tcl import tcl_word
from maxexp.base.process import run_program
from maxexp.board.config import ConnectionConfig
from maxexp.board.firmware import find_sdk

LONGEST_LINE, MOST_LINES = 300, 1000
"""Characters and lines, the last ones, of what OpenOCD says in which a cause is looked for."""

RECOVER = "python -m maxexp.board recover"

_CAUSES = {
    r"unable to find .*CMSIS-DAP device|no device found|unable to open CMSIS-DAP": (
        "it finds no debug adapter; connect the board, or give the adapter's serial number as board.connection.probe"
    ),
    r"LIBUSB_ERROR_ACCESS|Permission denied|insufficient permissions": (
        "it may not use the debug adapter; on Linux a udev rule for its USB id must allow it"
    ),
    r"flash driver '?max32xxx'? not found": (
        "it does not know the part; only the maker's fork does: set MAXIM_PATH to the maker's SDK, or "
        "board.connection.openocd to the fork's path"
    ),
    r"[Cc]an't find (\S+)": (
        "it has no script {0}; only the maker's fork has it: set board.connection.openocd and openocd_scripts"
    ),
    r"cannot read IDR|[Ee]rror connecting DP|Could not find MEM-AP|Failed to read memory|Target not halted": (
        f"the part does not answer; firmware that sleeps at once locks it, and this erases it: {RECOVER}"
    ),
}
"""What OpenOCD says, in its several versions, and what it means."""


def check_openocd(config: ConnectionConfig) -> str:
    """Returns the path of the program: the one that is named, else that of the maker's SDK, else the one on PATH.

    Raises:
        BoardError: it is not there.
    """
    sdk = find_sdk()
    names = [config.openocd]
    # On PATH there is mostly a distribution's, which does not know the part.
    if sdk and config.openocd == ConnectionConfig.openocd:
        names.insert(0, str(sdk / "Tools" / "OpenOCD" / "openocd"))
    found = next((path for name in names if (path := which(os.path.expanduser(name)))), None)
    if found is None:
        raise BoardError(
            f"board.connection.openocd={config.openocd}: no such program; set MAXIM_PATH to the maker's SDK, "
            "or give the path of its OpenOCD (writing firmware with board.connection.flash=daplink needs none)"
        )
    return found


def command_line(config: ConnectionConfig, probe: str | None, commands: str) -> list[str]:
    """Returns OpenOCD's arguments for its commands, on the adapter with serial number ``probe`` (None: any)."""
    sdk = find_sdk()
    scripts = config.openocd_scripts or (str(sdk / "Tools" / "OpenOCD" / "scripts") if sdk else None)
    words = [check_openocd(config)]
    if scripts:
        words += ["-s", os.path.expanduser(scripts)]
    for name in config.openocd_files:
        words += ["-f", name]
    if probe:
        # The second is what versions before 0.11 understand.
        number = tcl_word(probe)
        words += ["-c", f"if {{[catch {{adapter serial {number}}}]}} {{cmsis_dap_serial {number}}}"]
    return [*words, "-c", commands]


def flash(config: ConnectionConfig, probe: str | None, elf: Path) -> None:
    """Writes a program, verifies it, starts it.

    Raises:
        BoardError: OpenOCD cannot be run, or fails; says why.
    """
    _run(config, command_line(config, probe, f"program {tcl_word(str(elf))} verify reset exit"), "writing firmware")


def mass_erase(config: ConnectionConfig, probe: str | None) -> None:
    """Erases the whole flash, also that of a part that firmware has locked.

    Raises:
        BoardError: OpenOCD cannot be run, or fails; says why.
    """
    _run(config, command_line(config, probe, "init; reset halt; max32xxx mass_erase 0; exit"), "erasing the flash")


def _run(config: ConnectionConfig, command: list[str], what: str) -> None:
    try:
        done = run_program(command, what, timeout_s=config.flash_timeout_s)
    except OSError as error:
        raise BoardError(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.code == 0:
        return
    if done.code is None:
        raise BoardError(
            f"{what} with OpenOCD was stopped after {config.flash_timeout_s} s (board.connection.flash_timeout_s)"
        )
    raise BoardError(failure(what, done.output + done.errors))


def failure(what: str, said: str) -> str:
    """Returns what went wrong, in one line, by what OpenOCD has said."""
    lines = [" ".join(line[:LONGEST_LINE].split()) for line in said.splitlines()[-MOST_LINES:]]
    for pattern, cause in _CAUSES.items():
        if found := next(filter(None, (re.search(pattern, line) for line in lines)), None):
            return f"{what} with OpenOCD failed: {cause.format(*found.groups())}"
    told = next((line for line in lines if "rror" in line), None) or next(filter(None, reversed(lines)), "no message")
    return f"{what} with OpenOCD failed: {told}"
