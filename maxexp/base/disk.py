"""Disks that are full: which one, and what was being written to it."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maxexp.base.errors import DiskFullError

_FULL = "the disk is full"
_NO_SPACE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EFBIG: "files may not become larger (ulimit -f)",
}
OUTPUT = "cannot write to the standard output"
_LEAST_FREE_BYTES = 65536
"""A file system with less than that takes no file of ours."""


def no_space(error: BaseException) -> str | None:
    """Returns why a file could not grow, if that is what an error of the system or of SQLite says; None for any
    other."""
    if isinstance(error, OSError):
        return _NO_SPACE.get(error.errno or 0)
    return _FULL if (getattr(error, "sqlite_errorname", "") or "").startswith("SQLITE_FULL") else None


def full(path: Path) -> bool:
    """Tells whether the file system of a path, which need not exist, has no space left for us."""
    try:
        existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
        found = os.statvfs(existing)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _LEAST_FREE_BYTES


def full_places() -> list[str]:
    """Returns the folders, of those that every command writes to, whose disks are full."""
    places = [Path.cwd()]
    with suppress(OSError):
        places.append(Path(tempfile.gettempdir()))
    return [str(place) for place in places if full(place)]


def output_full() -> str | None:
    """Returns why nothing more can be written to the standard output, such as a file on a full disk; else prints an
    empty line, and returns None."""
    try:
        print(flush=True)  # what had to be written before is forgotten by now
    except OSError as error:
        return no_space(error)
    return None


@contextmanager
def writing(what: str, path: Path) -> Iterator[None]:
    """Names what was written where if the disk turns out to be full within.

    Libraries that write by themselves, torch among them, raise other errors; then the file system is looked at.

    Raises:
        DiskFullError: There is no space left.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        reason = no_space(error) or (_FULL if full(path) else None)
        # A limit of its own, as on the size of a file, leaves the file system with space.
        if no_space(error) == _FULL and not full(path) and output_full():
            raise DiskFullError(f"{OUTPUT}: {reason}; what was interrupted can be continued") from error
        if reason is None:
            raise
        raise DiskFullError(
            f"cannot write {what} {path}: {reason}; free space there, and what was interrupted can be continued"
        ) from error
