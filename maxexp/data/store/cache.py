"""Decoded splits kept on disk: three files each, two arrays and a JSON sidecar that vouches for them."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock

from maxexp.base.array_file import read_array
from maxexp.base.errors import DataError, FormatError
from maxexp.base.json_file import read_json
from maxexp.data.store.arrays import InputRange, SplitArrays, TargetUnit, content_digest

FORMAT_VERSION = 5
"""Raise it whenever the same files would be decoded to other arrays."""

CHECK = "check"
"""Key of a sidecar's digest of all its others."""

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


def _check(described: dict) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


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
            described = read_json(self._sidecar)
            if not isinstance(described, dict) or described.pop(CHECK, None) != _check(described):
                return None
            if described["fingerprint"] != mark:
                return None
            images, labels = read_array(self._images), read_array(self._labels)
        except (OSError, FormatError):
            return None
        if content_digest(images, labels) != described["digest"]:
            return None
        unit = TargetUnit(*(tuple(described["unit"][key]) for key in ("offset", "scale")))
        scale = InputRange(*(tuple(described["input_range"][key]) for key in ("low", "high")))
        return SplitArrays(images, labels, described["classes"], unit, scale), described["digest"]

    def store(self, mark: str, arrays: SplitArrays, digest: str) -> None:
        """Keeps arrays; where that is impossible, warns once and goes on."""
        described: dict = {
            "fingerprint": mark,
            "digest": digest,
            "classes": arrays.classes,
            "unit": asdict(arrays.unit),
            "input_range": asdict(arrays.input_range),
        }
        described[CHECK] = _check(described)
        try:
            self._sidecar.parent.mkdir(parents=True, exist_ok=True)
            _write(self._images, lambda file: np.save(file, arrays.images))
            _write(self._labels, lambda file: np.save(file, arrays.labels))
            _write(self._sidecar, lambda file: file.write(json.dumps(described, indent=1).encode()))
        except OSError as error:
            _warn_once(self._sidecar.parent, error.strerror or type(error).__name__)
