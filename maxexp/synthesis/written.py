"""What firmware writes into the accelerator: ours by its configuration, the maker's by its C files."""

import re
from dataclasses import dataclass
from pathlib import Path

from maxexp.base.bounded import read_bounded
from maxexp.base.errors import FormatError, SynthesisError
from maxexp.chip.part import WORD_BYTES, Part
from maxexp.synthesis.native.configuration import Configuration
from maxexp.synthesis.native.stores import bias_stores, kernel_blocks, register_stores

MAX_SOURCE_BYTES = 64 << 20
_STORE = re.compile(r"\(volatile uint32_t \*\) 0x([0-9a-f]{8})\) = 0x([0-9a-f]{8});")
_CONFIGURE = re.compile(r"int cnn_configure\(void\)\s*\{(.*?)\n\}", re.DOTALL)
_BIASES = re.compile(r"memcpy_8to32\(\(uint32_t \*\) 0x([0-9a-f]{8}), bias_([0-9]),")
_ARRAY = re.compile(r"#define (\w+) \{([^}]*)\}")
_WORD = re.compile(r"0x[0-9a-f]{1,8}")


@dataclass(frozen=True)
class Written:
    """The accelerator's memories, as far as they are written.

    Attributes:
        registers, biases: value by address.
        kernels: bytes of a column by its address.
    """

    registers: dict[int, int]
    biases: dict[int, int]
    kernels: dict[int, bytes]

    def difference(self, other: "Written") -> str | None:
        """The first address at which another firmware differs, and how; None: it writes the same."""
        for what in ("registers", "biases", "kernels"):
            ours, theirs = getattr(self, what), getattr(other, what)
            for address in sorted({*ours, *theirs}):
                if ours.get(address) != theirs.get(address):
                    return f"{what} at 0x{address:08x}: {_shown(ours.get(address))} and {_shown(theirs.get(address))}"
        return None


def written_by(x: Configuration) -> Written:
    """Returns what our firmware writes."""
    registers = {address: value for address, value, _ in register_stores(x)}
    biases = {address: value for address, value, _ in bias_stores(x)}
    width = x.memory.part.memories.column_bytes
    kernels: dict[int, bytes] = {}
    for address, words in kernel_blocks(x):
        kernels |= _columns(address, words.astype(">u4").tobytes(), width)
    return Written(registers, biases, kernels)


def written_by_makers(project: Path, part: Part) -> Written:
    """Returns what a project of ai8x-synthesis writes, read from ``cnn.c`` and ``weights.h``.

    Raises:
        SynthesisError: they are not as expected.
    """
    try:
        source = read_bounded(project / "cnn.c", MAX_SOURCE_BYTES).decode()
        weights = read_bounded(project / "weights.h", MAX_SOURCE_BYTES).decode()
        arrays = {name: [int(word, 16) for word in _WORD.findall(words)] for name, words in _ARRAY.findall(weights)}
        (configure,) = _CONFIGURE.findall(source)
        registers = {int(address, 16): int(value, 16) for address, value in _STORE.findall(configure)}
        biases = {
            int(start, 16) + WORD_BYTES * index: value
            for start, number in _BIASES.findall(source)
            for index, value in enumerate(arrays[f"BIAS_{number}"])
        }
        return Written(registers, biases, _kernels(arrays["KERNELS"], part.memories.column_bytes))
    except (OSError, ValueError, KeyError, IndexError, FormatError) as error:
        raise SynthesisError(
            f"{project}: its cnn.c and weights.h are not as ai8x-synthesis of August 2024 (ab4f4c0) writes them, so "
            f"they cannot be compared with our firmware: {error}"
        ) from error


def check_equal(x: Configuration, project: Path) -> None:
    """Compares our configuration with the maker's project of the same network and map.

    Raises:
        SynthesisError: they differ; names the first place.
    """
    difference = written_by(x).difference(written_by_makers(project, x.memory.part))
    if difference:
        raise SynthesisError(
            f"our firmware and that of ai8x-synthesis differ: {difference}; report it, or use synthesis=ai8x with "
            "synthesis.referee=never"
        )


def _kernels(numbers: list[int], width: int) -> dict[int, bytes]:
    """Blocks of address, number of words, words; ended by 0."""
    kernels: dict[int, bytes] = {}
    at = 0
    while numbers[at]:
        address, count = numbers[at : at + 2]
        words = numbers[at + 2 : at + 2 + count]
        kernels |= _columns(address, b"".join(word.to_bytes(4, "big") for word in words), width)
        at += 2 + count
    return kernels


def _columns(address: int, stream: bytes, width: int) -> dict[int, bytes]:
    """Returns the whole columns of a stream; what is left over is never stored."""
    return {
        address + WORD_BYTES * index: stream[width * index : width * (index + 1)]
        for index in range(len(stream) // width)
    }


def _shown(value: int | bytes | None) -> str:
    if value is None:
        return "nothing"
    return f"0x{value:08x}" if isinstance(value, int) else value.hex()
