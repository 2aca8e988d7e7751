"""One board, many processes: one at a time has it."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from maxexp.base.folders import cache_folder

log = logging.getLogger(__name__)


@contextmanager
def exclusive_board(name: str, folder: Path | None = None) -> Iterator[None]:
    """Waits until no other process of this machine uses a board, then keeps others waiting until the block ends.

    The lock is the operating system's: it ends with its process, however that ends.

    Args:
        name: of the board, the same for all who share it.
        folder: of the locks; in the user's cache by default.
    """
    folder = folder or cache_folder() / "boards"
    folder.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"\W+", "-", name).strip("-") or "board"
    lock = FileLock(folder / f"{plain}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        log.info("board %s: another process uses it; waiting ...", name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
