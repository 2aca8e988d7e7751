"""Disks that are full: which one, and what was being written to it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maxexp.base.errors import DiskFullError

_NO_SPACE = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up", errno.EFBIG: "files are limited"}
_LEAST_FREE_BYTES = 65536
"""A file system with less than that takes no file of ours."""


def no_space(error: BaseException) -> str | None:
    """Why a file could not grow, if that is what an error says; None for any other error."""
    return _NO_SPACE.get(error.errno or 0) if isinstance(error, OSError) else None


def full(path: Path) -> bool:
    """Whether the file system of a path, which need not exist, has no space left for us."""
    existing = next((folder for folder in (path, *path.absolute().parents) if folder.exists()), Path("/"))
    try:
        found = os.statvfs(existing)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _LEAST_FREE_BYTES


@contextmanager
def writing(what: str, path: Path) -> Iterator[None]:
    """Names what was written where if the disk turns out to be full within.

    Libraries that write by themselves, torch among them, raise other errors; then the file system is looked at.

    Raises:
        DiskFullError: There is no space left.
    """
    try:
        yield
    except DiskFullError:
        raise
    except (OSError, RuntimeError) as error:
        reason = no_space(error) or (_NO_SPACE[errno.ENOSPC] if full(path) else None)
        if reason is None:
            raise
        raise DiskFullError(
            f"cannot write {what} {path}: {reason}; free space there, then give the same command again"
        ) from error
