"""Linked programs become flash images and HEX files."""

import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from maxexp.base.errors import BoardError
from maxexp.board.compilers import COMPILERS, ZIG_FIX, find_compiler
from maxexp.board.config import CompilerName
from maxexp.board.program_file import read_program
from maxexp.chip.part import Region

FLASH = Region(0x10000000, 0x80000)
Segment = tuple[int, int, bytes]
"""Type, load address, content."""


def write_elf(path: Path, segments: list[Segment], entry: int = 0x10000101) -> Path:
    """A 32-bit little-endian ELF file of nothing but these segments."""
    table, at = b"", 52 + 32 * len(segments)
    for kind, address, content in segments:
        table += struct.pack("<8I", kind, at, 0x20000000, address, len(content), len(content) + 8, 5, 4)
        at += len(content)
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    header = struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, entry, 52, 0, 0, 52, 32, len(segments), 0, 0, 0)
    path.write_bytes(ident + header + table + b"".join(content for *_, content in segments))
    return path


def read_hex(text: str) -> dict[int, int]:
    """Bytes by address of an Intel HEX file, its checksums checked."""
    found, upper = {}, 0
    for line in text.split():
        record = bytes.fromhex(line.removeprefix(":"))
        assert sum(record) & 0xFF == 0 and len(record) == record[0] + 5
        address, kind, data = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == 4:
            upper = int.from_bytes(data, "big") << 16
        elif kind == 0:
            found |= {upper + address + i: byte for i, byte in enumerate(data)}
    return found


@pytest.mark.parametrize("length", [5, 16, 100_000])
def test_segments_come_to_their_load_addresses(tmp_path, length):
    code, data = bytes(range(1, 8)), np.random.default_rng(0).bytes(length)
    headers = (1, 0x0FFFFFF0, bytes(16) + code)  # a linker may load the file's own headers in front of the flash
    variables = (1, 0x10000020, data)
    path = write_elf(tmp_path / "a.elf", [variables, headers, (1, 0x20000000, b"x"), (6, 0x10000000, b"no")])
    program = read_program(path, FLASH)
    assert (program.start, program.entry) == (0x10000000, 0x10000101)
    assert program.image == code + b"\xff" * (0x20 - len(code)) + data
    assert read_hex(program.hex()) == {0x10000000 + i: byte for i, byte in enumerate(program.image)}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no 32-bit little-endian ELF"),
        (b"\x7fELF\x02\x01" + bytes(99), "no 32-bit"),
        (b"\x7fELF\x01\x01", "cut off"),
    ],
)
def test_other_files_are_refused(tmp_path, content, says):
    (tmp_path / "a.elf").write_bytes(content)
    with pytest.raises(BoardError, match=says):
        read_program(tmp_path / "a.elf", FLASH)
    with pytest.raises(BoardError, match="has nothing for the flash at 0x10000000"):
        read_program(write_elf(tmp_path / "b.elf", [(1, 0x20000000, b"x")]), FLASH)


def test_a_damaged_file_is_a_program_or_an_error(tmp_path):
    whole = write_elf(tmp_path / "a.elf", [(1, 0x10000000, b"code"), (1, 0x10000010, b"data")]).read_bytes()
    draw = np.random.default_rng(1)
    for _ in range(2000):
        damaged = bytearray(whole[: draw.integers(1, len(whole) + 1)])
        for place in draw.integers(0, len(damaged), draw.integers(1, 4)):
            damaged[place] = draw.integers(256)
        (tmp_path / "a.elf").write_bytes(damaged)
        with suppress(BoardError):
            assert len(read_program(tmp_path / "a.elf", FLASH).image) <= FLASH.size


def test_zig_is_taken_where_gnu_is_missing(monkeypatch):
    if not COMPILERS[CompilerName.zig].found():
        pytest.skip(ZIG_FIX)
    monkeypatch.setattr("maxexp.board.compilers.which", lambda name: None)
    assert find_compiler(CompilerName.auto) is COMPILERS[CompilerName.zig]
