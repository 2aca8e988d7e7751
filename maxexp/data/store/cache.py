"""Decoded splits kept on disk: three files each, two arrays and a JSON sidecar that vouches for them."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock

from maxexp.base.errors import DataError
from maxexp.data.store.arrays import SplitArrays, content_digest

FORMAT_VERSION = 3
"""Raise it whenever the same files would be decoded to other arrays."""

log = logging.getLogger(__name__)


def fingerprint(files: list[Path], parameters: dict) -> str:
    """Changes whenever a file (path, size, time), a decoding parameter or the format does.

    Raises:
        DataError: a file cannot be looked at, for example a link to nowhere.
    """
    try:
        stats = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}): replace or remove it.") from error
    return hashlib.sha256(json.dumps([FORMAT_VERSION, parameters, stats]).encode()).hexdigest()


@cache
def _warn_once(folder: Path, cause: str) -> None:
    log.warning("Decoded images are not kept: cannot write to %s (%s).", folder, cause)


def _write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes a file that other processes see either whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def prepared_once(folder: Path, name: str) -> Iterator[None]:
    """Lets one process at a time find, download and decode a data set; the others then read what it kept.

    Args:
        folder: see :func:`cache_folder`; where it cannot be written nothing is kept, so nobody waits.
        name: of the data set.
    """
    lock = FileLock(folder / "locks" / f"{name}.lock")
    try:
        (folder / "locks").mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError:
        yield
        return
    try:
        yield
    finally:
        lock.release()


class SplitCache:
    """The place of one split in the cache.

    Args:
        folder: see :func:`cache_folder`.
        name: of the data set and split, part of the file names.
        identity: what else tells entries apart, for example the image size; entries of equal name
            and identity replace one another.
    """

    def __init__(self, folder: Path, name: str, identity: dict) -> None:
        short = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:8]
        stem = folder / "datasets" / f"{name}-{short}"
        self._images = stem.with_name(f"{stem.name}-images.npy")
        self._labels = stem.with_name(f"{stem.name}-labels.npy")
        self._sidecar = stem.with_name(f"{stem.name}.json")

    def load(self, mark: str) -> tuple[SplitArrays, str] | None:
        """The kept arrays and their digest, None unless they are whole and of this fingerprint."""
        try:
            described = json.loads(self._sidecar.read_text())
            if described["fingerprint"] != mark:
                return None
            images = np.load(self._images, allow_pickle=False)
            labels = np.load(self._labels, allow_pickle=False)
            digest, classes = described["digest"], described["classes"]
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            return None
        if content_digest(images, labels) != digest:
            return None
        return SplitArrays(images, labels, classes), digest

    def store(self, mark: str, arrays: SplitArrays, digest: str) -> None:
        """Keeps arrays; where that is impossible, warns once and goes on."""
        described = {"fingerprint": mark, "digest": digest, "classes": arrays.classes}
        try:
            self._sidecar.parent.mkdir(parents=True, exist_ok=True)
            _write(self._images, lambda file: np.save(file, arrays.images))
            _write(self._labels, lambda file: np.save(file, arrays.labels))
            _write(self._sidecar, lambda file: file.write(json.dumps(described, indent=1).encode()))
        except OSError as error:
            _warn_once(self._sidecar.parent, error.strerror or type(error).__name__)
