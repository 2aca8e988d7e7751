"""Compilers that build firmware for the part's Cortex-M4: GNU's, and Zig's, which comes from PyPI.

GNU's has newlib as its C library. Zig's has none: the little that firmware needs of one is in ``hal/libc``.
"""

import importlib.util
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from shutil import which

from maxexp.base.errors import BoardError
from maxexp.base.folders import cache_folder
from maxexp.board.config import CompilerName

HAL = Path(__file__).parent / "hal"
GNU = "arm-none-eabi-gcc"
GNU_FIX = "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"
ZIG_FIX = "pip install 'maxexp[firmware]'"

_FLAGS = ("-O2", "-g", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")


class Compiler(ABC):
    """A compiler with linker and C library.

    Attributes:
        name: as in messages.
        fix: how to get it.
    """

    name: str
    fix: str

    @abstractmethod
    def found(self) -> bool:
        """Tells whether it is installed."""

    @abstractmethod
    def command(self, inputs: list[str], program: Path) -> list[str]:
        """The command that makes a program of C files and flags, with the part's own C library."""

    def environment(self) -> dict[str, str]:
        """Returns the environment variables that it needs beside ours."""
        return {}


class GnuCompiler(Compiler):
    name, fix = GNU, GNU_FIX

    def found(self) -> bool:
        return which(GNU) is not None

    def command(self, inputs: list[str], program: Path) -> list[str]:
        # Where each variable is at each instruction takes minutes to find out for thousands of register writes in a
        # row, as the maker's projects have them.
        part = ("-mcpu=cortex-m4", "-mthumb", "-fno-var-tracking", "--specs=nano.specs", "-nostartfiles")
        library = map(str, sorted((HAL / "newlib").glob("*.c")))
        return [GNU, *part, *_FLAGS, *inputs, *library, "-o", str(program)]


class ZigCompiler(Compiler):
    name, fix = "ziglang", ZIG_FIX

    def found(self) -> bool:
        return importlib.util.find_spec("ziglang") is not None

    def command(self, inputs: list[str], program: Path) -> list[str]:
        part = ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4", "-Wl,--entry=reset")
        tables = ("-fno-unwind-tables", "-fno-asynchronous-unwind-tables")
        library = map(str, sorted((HAL / "libc").glob("*.c")))
        arguments = [*part, *tables, *_FLAGS, f"-I{HAL / 'libc'}", *inputs, *library, "-o", str(program)]
        return [sys.executable, "-m", "ziglang", "cc", *arguments]

    def environment(self) -> dict[str, str]:
        """Its own library is compiled once, and kept with what else is."""
        folder = str(cache_folder() / "zig")
        return {"ZIG_GLOBAL_CACHE_DIR": folder, "ZIG_LOCAL_CACHE_DIR": folder}


COMPILERS: dict[CompilerName, Compiler] = {CompilerName.gnu: GnuCompiler(), CompilerName.zig: ZigCompiler()}
"""In the order in which they are looked for."""


def find_compiler(name: CompilerName) -> Compiler:
    """The compiler of a configuration.

    Raises:
        BoardError: it is not installed; says how to get it.
    """
    if name is not CompilerName.auto:
        compiler = COMPILERS[name]
        if not compiler.found():
            raise BoardError(f"board.compiler={name.name}: {compiler.name} is not installed: {compiler.fix}")
        return compiler
    found = next((compiler for compiler in COMPILERS.values() if compiler.found()), None)
    if found is None:
        fixes = " or ".join(compiler.fix for compiler in reversed(COMPILERS.values()))
        raise BoardError(f"no compiler is installed; firmware needs one: {fixes}")
    return found
