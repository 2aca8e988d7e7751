"""Build a synthesized project, ours or the maker's, as it is.

Either with the maker's SDK, or with nothing but a compiler: then the hardware layer in ``hal/`` stands in for the
SDK. That layer is written from the part's register map and runs on the emulated board; on silicon it
has not been tried.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from maxexp.base.errors import BoardError
from maxexp.base.languages.make import make_value
from maxexp.board.compilers import GNU, GNU_FIX, HAL, ZIG_FIX, find_compiler
from maxexp.board.config import CompilerName
from maxexp.board.program_file import read_program
from maxexp.chip.part import Part

SERVER = HAL / "programs" / "inference_server.c"
_ERROR = re.compile(r".*(?:\berror:|undefined reference|overflowed by|cannot find|\*\*\* ).*")

_NO_LIBRARY = re.compile(r"cannot read spec file|stdio\.h: No such file")


@dataclass(frozen=True)
class Firmware:
    """A built program.

    Attributes:
        elf: with symbols, for OpenOCD and debuggers.
        hex: for drag and drop.
        image: the flash's content from its start.
    """

    elf: Path
    hex: Path
    image: Path


def find_sdk() -> Path | None:
    """The maker's SDK that MAXIM_PATH names, if it is there."""
    path = os.environ.get("MAXIM_PATH")
    return Path(path) if path and Path(path, "Libraries").is_dir() else None


def build_firmware(
    project: Path,
    folder: Path,
    part: Part,
    server: bool = False,
    compiler: CompilerName = CompilerName.auto,
) -> Firmware:
    """Builds with our own hardware layer.

    Args:
        project: the generated project: its C files and headers, unmodified.
        folder: gets program and ``build.log``; created if need be.
        part: the chip that the project is for.
        server: build the inference server (``hal/programs``) in place of the project's own ``main.c``.

    Raises:
        BoardError: no compiler, or a compilation that fails: its first error and the path of the log.
    """
    sources = sorted(path for path in project.glob("*.c") if not (server and path.name == "main.c"))
    if not sources:
        raise BoardError(f"{project}: no C files to build; is this a project that ai8xize.py generated?")
    if server:
        sources.append(SERVER)
    chosen = find_compiler(compiler)
    folder.mkdir(parents=True, exist_ok=True)
    elf = folder / "firmware.elf"
    inputs = [f"-T{HAL / part.tools.linker_script}", f"-I{HAL}", f"-I{project}", *sources, *sorted(HAL.glob("*.c"))]
    _run(chosen.command([*map(str, inputs)], elf), folder / "build.log", chosen.environment())
    return _converted(elf, part)


def build_firmware_with_sdk(project: Path, folder: Path, sdk: Path, board: str, part: Part) -> Firmware:
    """Builds with the project's own Makefile and the maker's SDK.

    Args:
        project, folder: as for :func:`build_firmware`.
        sdk: its installation.
        board: its name in the SDK.
        part: the chip that it carries.

    Raises:
        BoardError: no compiler or make, or a build that fails.
    """
    for tool, fix in (("make", "apt-get install make"), (GNU, GNU_FIX)):
        if which(tool) is None:
            raise BoardError(f"{tool} is not installed; the maker's SDK needs it: {fix}")
    folder.mkdir(parents=True, exist_ok=True)
    variables = {
        "MAXIM_PATH": sdk.resolve(),
        "BOARD": board,
        "BUILD_DIR": folder.resolve(),
        "PROJECT": "firmware",
    }
    command = ["make", "-C", str(project), *(f"{name}={make_value(str(value))}" for name, value in variables.items())]
    _run(command, folder / "build.log")
    return _converted(folder / "firmware.elf", part)


def _run(command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
    """Runs a tool; all that it says goes to the log."""
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(environment or {})},
        )
    except OSError as error:
        raise BoardError(f"{command[0]} cannot be run: {error}") from error
    log.write_text(" ".join(command) + "\n" + done.stdout)
    if done.returncode:
        found = _ERROR.search(done.stdout)
        reason = found[0].strip() if found else f"{command[0]} ended with code {done.returncode}"
        fix = f"; the compiler has no C library: {GNU_FIX}, or {ZIG_FIX}" if _NO_LIBRARY.search(done.stdout) else ""
        raise BoardError(f"building firmware failed: {reason} (all messages: {log}){fix}")


def _converted(elf: Path, part: Part) -> Firmware:
    """The program in the formats that boards take."""
    if not elf.is_file():
        raise BoardError(f"building firmware left no {elf}; see {elf.parent / 'build.log'}")
    program = read_program(elf, part.addresses.flash)
    firmware = Firmware(elf, elf.with_suffix(".hex"), elf.with_suffix(".bin"))
    firmware.hex.write_text(program.hex(), encoding="ascii")
    firmware.image.write_bytes(program.image)
    return firmware
