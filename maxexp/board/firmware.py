"""Build the project that the maker's synthesizer generates, as it is.

Either with the maker's SDK, or with nothing but the GNU compiler: then the hardware layer in ``hal/`` stands in
for the SDK. That layer is written from the part's register map and runs on the emulated board; on silicon it
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
from maxexp.chip.part import Part

HAL = Path(__file__).parent / "hal"
SERVER = HAL / "programs" / "inference_server.c"
COMPILER = "arm-none-eabi-gcc"
COMPILER_FIX = "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"
FLAGS = (
    *("-mcpu=cortex-m4", "-mthumb", "-O2", "-g", "-ffunction-sections", "-fdata-sections"),
    # Where each variable is at each instruction takes minutes to find out for thousands of register writes in a row.
    "-fno-var-tracking",
    *("--specs=nano.specs", "-nostartfiles", "-Wl,--gc-sections"),
)
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


def check_compiler() -> None:
    """Raises BoardError, which says how to get it, if there is no compiler."""
    _need(COMPILER)


def build_firmware(project: Path, folder: Path, part: Part, server: bool = False) -> Firmware:
    """Build with the GNU compiler and our own hardware layer.

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
    _need(COMPILER)
    folder.mkdir(parents=True, exist_ok=True)
    elf = folder / "firmware.elf"
    inputs = [f"-T{HAL / part.tools.linker_script}", f"-I{HAL}", f"-I{project}", *sources, *sorted(HAL.glob("*.c"))]
    _run([COMPILER, *FLAGS, *map(str, inputs), "-o", str(elf)], folder / "build.log")
    return _converted(elf)


def build_firmware_with_sdk(project: Path, folder: Path, sdk: Path, board: str) -> Firmware:
    """Build with the project's own Makefile and the maker's SDK.

    Args:
        project, folder: as for :func:`build_firmware`.
        sdk: its installation.
        board: its name in the SDK.

    Raises:
        BoardError: no compiler or make, or a build that fails.
    """
    for tool in ("make", COMPILER):
        _need(tool)
    folder.mkdir(parents=True, exist_ok=True)
    variables = {
        "MAXIM_PATH": sdk.resolve(),
        "BOARD": board,
        "BUILD_DIR": folder.resolve(),
        "PROJECT": "firmware",
    }
    command = ["make", "-C", str(project), *(f"{name}={make_value(str(value))}" for name, value in variables.items())]
    _run(command, folder / "build.log")
    return _converted(folder / "firmware.elf")


def _need(tool: str) -> None:
    if which(tool) is None:
        fix = COMPILER_FIX if tool == COMPILER else f"apt-get install {tool}"
        raise BoardError(f"{tool} is not installed; firmware needs it: {fix}")


def _run(command: list[str], log: Path) -> None:
    """Run a tool; all that it says goes to the log."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except OSError as error:
        raise BoardError(f"{command[0]} cannot be run: {error}") from error
    log.write_text(" ".join(command) + "\n" + done.stdout)
    if done.returncode:
        found = _ERROR.search(done.stdout)
        reason = found[0].strip() if found else f"{command[0]} ended with code {done.returncode}"
        fix = f"; the compiler has no C library: {COMPILER_FIX}" if _NO_LIBRARY.search(done.stdout) else ""
        raise BoardError(f"building firmware failed: {reason} (all messages: {log}){fix}")


def _converted(elf: Path) -> Firmware:
    """The program in the formats that boards take."""
    if not elf.is_file():
        raise BoardError(f"building firmware left no {elf}; see {elf.parent / 'build.log'}")
    firmware = Firmware(elf, elf.with_suffix(".hex"), elf.with_suffix(".bin"))
    for form, path in (("ihex", firmware.hex), ("binary", firmware.image)):
        _run(
            [COMPILER.replace("gcc", "objcopy"), "-O", form, str(elf), str(path)], elf.parent / f"objcopy-{form}.log"
        )
    return firmware
