"""Firmware is written by a command of the user's."""

import shlex

from maxexp.base.errors import BoardError, ConfigError
from maxexp.base.process import run_program
from maxexp.board.config import ConnectionConfig
from maxexp.board.firmware import Firmware


def flash_by_command(config: ConnectionConfig, firmware: Firmware) -> None:
    """Runs the command, which has to write and start the program.

    Raises:
        ConfigError: it is not a command line, or names a file that there is not.
        BoardError: it cannot be run, fails, or takes too long.
    """
    key = f"board.connection.command={config.command}"
    files = {"elf": firmware.elf, "hex": firmware.hex, "bin": firmware.image}
    try:
        command = [word.format(**files) for word in shlex.split(config.command or "")]
    except (ValueError, KeyError, IndexError) as error:
        raise ConfigError(f"{key}: {error}; the files are {{elf}}, {{hex}} and {{bin}}") from error
    try:
        done = run_program(command, "writing firmware", timeout_s=config.flash_timeout_s)
    except OSError as error:
        raise BoardError(f"{key}: {error.strerror}") from error
    if done.code is None:
        raise BoardError(
            f"{key}: stopped after {config.flash_timeout_s} s; does it need more board.connection.flash_timeout_s?"
        )
    if done.code:
        lines = (done.errors or done.output).strip().splitlines() or ["no message"]
        raise BoardError(f"{key}: ended with code {done.code}: {lines[-1]}")
