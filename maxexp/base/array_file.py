"""Arrays as ``numpy.save`` and ``numpy.savez`` write them, read from files that others may have written.

``numpy.load`` trusts the header: it asks for as much memory as that announces, and its errors are of a dozen types.
Here the header must be numpy's, and announce what the file really holds.
"""

import re
import struct
import zipfile
import zlib
from io import BytesIO
from math import prod
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from maxexp.base.errors import FormatError

_MAGIC = b"\x93NUMPY"
_LENGTH_FORMATS = {1: "<H", 2: "<I", 3: "<I"}
"""Of the header's length, by the format's version (numpy, lib/_format_impl.py)."""
_LONGEST_HEADER = 10_000
_HEADER = re.compile(
    rb"\{\s*'descr':\s*'([<>|=][biufcU]\d{1,6})',\s*'fortran_order':\s*(True|False),"
    rb"\s*'shape':\s*\(((?:\d{1,12},\s*){0,32}(?:\d{1,12})?)\),?\s*\}\s*"
)
"""Numbers and texts only, whose bytes are their values: no objects, no records."""
_LARGEST_ARCHIVE = 256 << 20
"""Bytes that an archive may unpack to."""


def read_array(path: Path) -> np.ndarray:
    """The array of a ``.npy`` file.

    Raises:
        FormatError: the file holds no whole array of numbers or texts; does not name the file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return _read(file, path.stat().st_size)


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file, by name.

    Raises:
        FormatError: it is no archive of whole arrays, or unpacks to more than 256 MiB; does not name the file.
        OSError: it cannot be read.
    """
    try:
        # From memory, where a damaged archive cannot look like a broken disk.
        with zipfile.ZipFile(BytesIO(path.read_bytes())) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > _LARGEST_ARCHIVE:
                raise FormatError(f"unpacks to {size:,} bytes; no more than {_LARGEST_ARCHIVE:,} are read")
            members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise FormatError("not an archive that numpy.savez has written") from error
    return {name: _read(BytesIO(data), len(data)) for name, data in members.items()}


def _read(file: BinaryIO, size: int) -> np.ndarray:
    dtype, shape, order = _header(file)
    announced, held = prod(shape) * dtype.itemsize, size - file.tell()
    if announced != held:
        raise FormatError(f"it is cut off or damaged: it announces {announced:,} bytes and holds {held:,}")
    values = np.empty(held, np.uint8)
    file.readinto(values.data)  # type: ignore[attr-defined]
    try:
        return values.view(dtype).reshape(shape, order=order)
    except ValueError as error:  # dimensions beyond all bounds beside one of 0
        raise FormatError(f"its shape {shape} is impossible") from error


def _header(file: BinaryIO) -> tuple[np.dtype, tuple[int, ...], Literal["C", "F"]]:
    """Returns the type, shape, and numpy's name of the order in which the values lie: C or F."""
    try:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("no magic number")
        length_format = _LENGTH_FORMATS[file.read(2)[0]]
        (length,) = struct.unpack(length_format, file.read(struct.calcsize(length_format)))
        found = _HEADER.fullmatch(file.read(min(length, _LONGEST_HEADER)))
        if found is None:
            raise ValueError("another header")
        dtype = np.dtype(found[1].decode())
    except (KeyError, IndexError, struct.error, ValueError, TypeError) as error:
        raise FormatError("not an array that numpy.save has written, or none of numbers") from error
    if dtype.itemsize == 0:
        raise FormatError("an array of empty texts")
    return dtype, tuple(map(int, re.findall(rb"\d+", found[3]))), "F" if found[2] == b"True" else "C"
