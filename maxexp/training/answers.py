"""A teacher's answers kept on disk: resumed runs, and runs with the same images, need not ask again."""

import hashlib
import logging
import sqlite3
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

LIMIT = 1 << 30
"""Bytes above which the older half is dropped: 40 trainings on CIFAR-10 with 30 views, 4 on CIFAR-100."""

log = logging.getLogger(__name__)


def batch_key(inputs: Tensor) -> bytes:
    """Returns the digest of the very numbers that a network sees, so that no answer can be one to other images."""
    return hashlib.sha256(inputs.cpu().contiguous().view(torch.uint8).numpy().data).digest()


class Answers(Protocol):
    """What a teacher has answered: float16 (N, classes) by :func:`batch_key`. A dict is one in memory."""

    def get(self, key: bytes, /) -> Tensor | None:
        """The answer to a batch, if it is known."""

    def __setitem__(self, key: bytes, answer: Tensor, /) -> None:
        """Remembers the answer to a batch."""


class KeptAnswers:
    """:class:`Answers` in an SQLite file that many processes may share.

    Args:
        path: of the file, one for each teacher.
        classes: that the teacher tells apart.
        limit: bytes above which the older half is dropped at opening, and that one process adds at most.

    Raises:
        OSError: the folder cannot be written.
        sqlite3.Error: the file cannot be opened, or is something else.
    """

    def __init__(self, path: Path, classes: int, limit: int = LIMIT) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._classes = classes
        self._warned = False
        self._file = sqlite3.connect(path, timeout=60, isolation_level=None)
        # What a crash may lose here is computed again.
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute("CREATE TABLE IF NOT EXISTS answers (key BLOB UNIQUE, answer BLOB)")
        self._room = limit
        ((kept,),) = self._file.execute("SELECT coalesce(sum(length(answer)), 0) FROM answers")
        if kept > limit:
            middle = "SELECT (min(rowid) + max(rowid)) / 2 FROM answers"
            self._file.execute(f"DELETE FROM answers WHERE rowid <= ({middle})")

    def get(self, key: bytes, /) -> Tensor | None:
        try:
            row = self._file.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            self._warn(error)
            row = None
        if row is None:
            return None
        return torch.frombuffer(bytearray(row[0]), dtype=torch.float16).view(-1, self._classes)

    def __setitem__(self, key: bytes, answer: Tensor, /) -> None:
        blob = answer.half().cpu().contiguous().numpy().tobytes()
        if len(blob) > self._room:
            return  # many views of many images
        try:
            self._file.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, blob))
            self._room -= len(blob)
        except sqlite3.Error as error:
            self._warn(error)

    def _warn(self, error: sqlite3.Error) -> None:
        # A full disk must not end a training of hours: the teacher can be asked again.
        if not self._warned:
            log.warning("A teacher's answers could not be stored or read (%s): they are computed again.", error)
        self._warned = True


def open_answers(folder: Path, checkpoint: Path, classes: int) -> Answers:
    """Returns the stored answers of a teacher; they are in memory only where the folder cannot be written.

    Args:
        folder: of all teachers that compute in one precision.
        checkpoint: the teacher's; its content tells teachers apart.
        classes: that it tells apart.
    """
    name = hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:16]
    try:
        return KeptAnswers(folder / f"{name}.db", classes)
    except (OSError, sqlite3.Error) as error:
        log.warning("The teacher's answers are not kept in %s: %s", folder, error)
        return {}
