"""Recordings of several channels in files: CSV, NumPy archives, and the .ts files of the UCR and UEA archives."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maxexp.base.array_file import read_archive
from maxexp.base.bounded import read_bounded
from maxexp.base.errors import DataError, FormatError

LARGEST_FILE = 256 << 20
"""Bytes of a text file of recordings."""


@dataclass(frozen=True)
class Recording:
    """A signal as it was recorded.

    Attributes:
        name: where it is from, for messages; it also decides whether it is for training or for the test.
        label: its class.
        values: float64 (channels, length), finite.
    """

    name: str
    label: str
    values: np.ndarray


def read_csv(path: Path) -> np.ndarray:
    """Reads a CSV file without labels: a column for each channel, a row for each sample; a heading may come first.

    Returns:
        float64 (channels, length).

    Raises:
        DataError: a cell is no finite number, or rows are of different length.
    """
    rows = _rows(path)
    if not _are_numbers(rows[0]):
        rows = rows[1:]
    return _numbers(rows, str(path)).T


def read_labelled_csv(path: Path, label: str) -> Iterator[Recording]:
    """Reads a CSV file with a heading and a column of labels; rows of one label in succession are one recording.

    Args:
        label: heading of the column.

    Raises:
        DataError: there is no such column; see :func:`read_csv`.
    """
    rows = _rows(path)
    heading = [name.strip() for name in rows[0]]
    if label not in heading:
        raise DataError(f"{path} has no column {label!r}: it has {', '.join(heading[:20])}; correct dataset.label")
    column = heading.index(label)
    uneven = next((row for row in rows if len(row) != len(heading)), None)
    if uneven is not None:
        raise DataError(f"{path}: a row has {len(uneven)} columns, its heading {len(heading)}")
    start, counted = 1, 0
    for end in range(2, len(rows) + 1):
        if end == len(rows) or rows[end][column] != rows[start][column]:
            cells = [row[:column] + row[column + 1 :] for row in rows[start:end]]
            name = f"{path.name}/{counted}"
            yield Recording(
                name, rows[start][column].strip(), _numbers(cells, f"{path}, rows {start + 1} to {end}").T
            )
            start, counted = end, counted + 1


def read_npz(path: Path) -> np.ndarray:
    """Reads a NumPy archive with one array: a row for each sample, a column for each channel.

    One of shape (length,) is one channel.

    Returns:
        float64 (channels, length).

    Raises:
        DataError: it holds several arrays, or anything but finite numbers.
    """
    try:
        arrays = read_archive(path)
    except (OSError, FormatError) as error:
        raise DataError(f"{path} is not a readable .npz file: {error}; write it anew") from error
    if len(arrays) != 1:
        raise DataError(
            f"{path} must hold one array; it holds {len(arrays)} (x_train, y_train, ... are read by dataset=arrays)"
        )
    (values,) = arrays.values()
    values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "buif":
        raise DataError(f"{path} must hold numbers (length, channels); it holds {values.dtype} {values.shape}")
    return _finite(values.astype(np.float64), str(path)).T


def read_ts(path: Path) -> Iterator[Recording]:
    """Reads a .ts file: a recording in each line, its channels divided by colons, its class the last field.

    Raises:
        DataError: there are no classes; a value is missing or no number; channels differ in length.
    """
    lines = _text(path).splitlines()
    start = next((number for number, line in enumerate(lines) if line.strip().lower() == "@data"), None)
    if start is None:
        raise DataError(f"{path} is no .ts file: it has no line @data")
    for number, line in enumerate(lines[start + 1 :], start + 2):
        if not line.strip() or line.startswith("#"):
            continue
        *channels, label = line.strip().split(":")
        if not channels or not label:
            raise DataError(f"{path}, line {number}: channels and a class are expected, divided by colons")
        where = f"{path}, line {number}"
        yield Recording(f"{path.name}/{number}", label, _numbers([text.split(",") for text in channels], where))


def _text(path: Path) -> str:
    try:
        return read_bounded(path, LARGEST_FILE).decode("utf-8-sig")
    except (OSError, FormatError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a readable text file ({error})") from error


def _rows(path: Path) -> list[list[str]]:
    """The rows of a CSV file, empty ones left out; there is at least one."""
    text = _text(path)
    first = text.partition("\n")[0]
    delimiter = next((mark for mark in ";\t" if mark in first), ",")
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error as error:
        raise DataError(f"{path} is not a readable CSV file ({error})") from error
    if not rows:
        raise DataError(f"{path} is empty; remove it")
    return rows


def _are_numbers(cells: list[str]) -> bool:
    try:
        list(map(float, cells))
    except ValueError:
        return False
    return True


def _numbers(rows: list[list[str]], where: str) -> np.ndarray:
    """Returns float64 of the shape of the rows, finite."""
    if not rows or len({len(row) for row in rows}) != 1:
        raise DataError(f"{where}: rows are of different length, or there are none")
    try:
        return _finite(np.array([[float(cell) for cell in row] for row in rows]), where)
    except ValueError as error:
        raise DataError(f"{where}: {str(error)[:80]}; numbers are expected") from error


def _finite(values: np.ndarray, where: str) -> np.ndarray:
    if not np.isfinite(values).all():
        raise DataError(f"{where}: values are missing or not finite; replace or leave them out")
    return values
