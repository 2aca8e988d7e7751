"""A linked program (ELF) in the formats that boards and the emulator take."""

import struct
from dataclasses import dataclass
from pathlib import Path

from maxexp.base.errors import BoardError
from maxexp.chip.part import Region

_LOADED = 1
"""Type of a program header whose bytes go to memory."""
_ERASED = 0xFF
_LINE_BYTES = 16
_DATA, _END, _UPPER_ADDRESS, _START = 0, 1, 4, 5
"""Kinds of lines in an Intel HEX file."""


@dataclass(frozen=True)
class Program:
    """What a program puts into the flash.

    Attributes:
        start: address of the first byte.
        image: all bytes, gaps filled with those of erased flash.
        entry: address of the first instruction.
    """

    start: int
    image: bytes
    entry: int

    def hex(self) -> str:
        """The text of an Intel HEX file."""
        lines = []
        for offset in range(0, len(self.image), _LINE_BYTES):
            address = self.start + offset
            if offset == 0 or address & 0xFFFF == 0:
                lines.append(_hex_line(_UPPER_ADDRESS, 0, (address >> 16).to_bytes(2, "big")))
            # A line does not cross from one block of 64 KiB into the next, for images begin at whole lines.
            lines.append(_hex_line(_DATA, address & 0xFFFF, self.image[offset : offset + _LINE_BYTES]))
        lines.append(_hex_line(_START, 0, self.entry.to_bytes(4, "big")))
        return "\n".join([*lines, _hex_line(_END, 0, b""), ""])


def read_program(elf: Path, flash: Region) -> Program:
    """Returns what a little-endian 32-bit ELF file loads into the flash.

    Raises:
        BoardError: it is no such file, or has nothing there.
    """
    data = elf.read_bytes()
    try:
        if data[:6] != b"\x7fELF\x01\x01":
            raise BoardError(f"{elf}: is no 32-bit little-endian ELF file")
        entry, table = struct.unpack_from("<II", data, 24)
        size, count = struct.unpack_from("<HH", data, 42)
        parts = []
        for index in range(count):
            kind, offset, _, address, length = struct.unpack_from("<5I", data, table + index * size)
            # A segment may begin before the flash, with the file's own headers.
            before, after = max(0, flash.start - address), max(0, address + length - flash.start - flash.size)
            if kind == _LOADED and before + after < length:
                parts.append((address + before, data[offset + before : offset + length - after]))
    except struct.error as error:
        raise BoardError(f"{elf}: is cut off; build it again") from error
    if not parts:
        raise BoardError(f"{elf}: has nothing for the flash at 0x{flash.start:08x}")
    start = min(address for address, _ in parts)
    image = bytearray([_ERASED]) * (max(address + len(content) for address, content in parts) - start)
    for address, content in parts:
        image[address - start : address - start + len(content)] = content
    return Program(start, bytes(image), entry)


def _hex_line(kind: int, address: int, data: bytes) -> str:
    record = bytes([len(data), address >> 8, address & 0xFF, kind]) + data
    return f":{(record + bytes([-sum(record) & 0xFF])).hex().upper()}"
