"""The boards' command: ``python -m maxexp.board list|run|classify|recover``, with keys of ``python -m maxexp``."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from maxexp.base.errors import BoardError, ConfigError
from maxexp.base.exit_codes import exit_code
from maxexp.board.board import open_board
from maxexp.board.config import BoardKind
from maxexp.board.real.exclusive import exclusive_board
from maxexp.board.real.openocd import mass_erase
from maxexp.board.real.usb import PROBE_ID, drives, find_port, probe_of, serial_ports
from maxexp.board.result import SERIAL_LOG
from maxexp.cli.program import called
from maxexp.run.composition import compose_config
from maxexp.schema.config import Config

PROGRAM = "python -m maxexp.board"
DEFAULT = "board=max78000fthr"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code says how it went."""
    options = board_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return exit_code(PROGRAM, lambda: options.work(options))


def board_parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    parser = argparse.ArgumentParser(prog=called("board"), description="Boards with a MAX78000, real and emulated.")
    commands = parser.add_subparsers(required=True)
    listing = commands.add_parser("list", help="serial ports and drives that are there")
    listing.set_defaults(work=_list)
    run = commands.add_parser("run", help="build a generated project, run it, say how it went")
    run.add_argument("project", type=Path, help="its folder")
    run.set_defaults(work=_run)
    text = "build what board.application=serial wrote, start it on the board, have it classify pictures"
    ask = commands.add_parser("classify", help=text)
    ask.add_argument("project", type=Path, help="folder of the application")
    ask.add_argument("pictures", nargs="+", metavar="PICTURE", help="files to classify")
    ask.set_defaults(work=_classify)
    recover = commands.add_parser("recover", help="with OpenOCD, erase a board that cannot be flashed any more")
    recover.set_defaults(work=_recover)
    for command in (run, ask, recover):
        keys = f"as in conf/board; {DEFAULT} unless another board is named"
        command.add_argument("keys", nargs="*", metavar="KEY=VALUE", help=keys)
    return parser


def _list(_options: argparse.Namespace) -> None:
    ports, folders = serial_ports(), drives()
    for port in ports:
        number = port.serial_number or "-"
        print(f"port {port.device}: USB id {port.ids or '-'}, serial number {number}, {port.product}")
    for folder, serial_number in folders.items():
        print(f"drive {folder}: serial number {serial_number}, DAPLink")
    if not folders and not any(port.ids == PROBE_ID for port in ports):
        print(f"no board: no DAPLink drive, and no serial port with the USB id {PROBE_ID}; connect one")


def _run(options: argparse.Namespace) -> None:
    config = read_keys(options.keys)
    if not options.project.is_dir():
        raise BoardError(f"{options.project}: no such folder; give that of a synthesized project")
    board = open_board(config.board, config.device.part)
    folder = options.project / "build"
    run = board.run(board.build(options.project, folder), folder / SERIAL_LOG)
    print(run.result.text.strip())
    if run.cycles is not None:
        print(f"\n{run.cycles:,} cycles of the accelerator")
    if not run.result.passed:
        raise BoardError(f"{board.name}: FAIL, the output is not the known answer")


def _classify(options: argparse.Namespace) -> None:
    from maxexp.board.application import wait_for, wait_for_result
    from maxexp.camera.application_input import read_input_form
    from maxexp.synthesis.native.applications.serial import APPLICATION, request

    words = [*options.pictures, *options.keys]
    keys = [word for word in words if "=" in word and not Path(word).exists()]
    pictures = [Path(word) for word in words if word not in keys]
    if not pictures:
        raise BoardError("no picture to classify: give files after the folder, as classify FOLDER photo.jpg")
    form = read_input_form(options.project)
    inputs = [form.input_of(path) for path in pictures]
    config = read_keys(keys)
    board, part = open_board(config.board, config.device.part), config.device.part
    with board.talk(board.build(options.project, options.project / "build")) as line:
        wait_for(line, APPLICATION.ready)
        for path, signed in zip(pictures, inputs, strict=True):
            line.write(request(signed, part))
            print(f"{path}: {wait_for_result(line)}", flush=True)


def _recover(options: argparse.Namespace) -> None:
    config = read_keys(options.keys).board
    if config.connection is None:
        raise ConfigError(f"board={config.kind.name}: that is no real board")
    port = find_port(config.connection)
    with exclusive_board(port.device):
        mass_erase(config.connection, probe_of(config.connection, port))
    print("the flash is erased; unplug the board and plug it in again, then flash it")


def read_keys(keys: Sequence[str]) -> Config:
    """The configuration whose board the command line's keys describe. Raises ConfigError."""
    named = any(key.startswith("board=") for key in keys)
    config = compose_config(keys if named else [DEFAULT, *keys])
    if config.board.kind is BoardKind.none:
        raise ConfigError("board=none: name a board")
    return config
