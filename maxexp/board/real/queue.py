"""One board, many processes: they take their turns in the order in which they came.

Each process holds the operating system's lock on a ticket of its own; the ticket's name says its number and the
process. Such a lock ends with its process, however that ends, so a dead one keeps nobody waiting.
"""

import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from maxexp.base.folders import cache_folder

POLL_S = 0.2

_TICKET = re.compile(r"(\d+)-(\d+)\.ticket")

log = logging.getLogger(__name__)


@contextmanager
def board_to_oneself(name: str, folder: Path | None = None) -> Iterator[None]:
    """Wait for a board as long as others use it, then keep them waiting until the block ends.

    Args:
        name: of the board, the same for all who share it.
        folder: of the queues, on this machine; in the user's cache by default.
    """
    queue = (folder or cache_folder() / "boards") / (re.sub(r"\W+", "-", name).strip("-") or "board")
    queue.mkdir(parents=True, exist_ok=True)
    # Held for a moment by whoever looks at tickets, so that none comes or goes meanwhile.
    guard = FileLock(queue / "guard.lock")
    with guard:
        number = max(_tickets(queue), default=0) + 1
        path = queue / f"{number:08d}-{os.getpid()}.ticket"
        ticket = FileLock(path)
        ticket.acquire()
    try:
        _wait(queue, guard, number, name)
        yield
    finally:
        with guard:
            ticket.release()
            path.unlink(missing_ok=True)


def _wait(queue: Path, guard: FileLock, number: int, name: str) -> None:
    """Until no living process has a smaller number."""
    holder = None
    while True:
        with guard:
            before = [path for other, path in sorted(_tickets(queue).items()) if other < number and _alive(path)]
        if not before:
            return
        found = _TICKET.fullmatch(before[0].name)
        if found and found[2] != holder:
            holder = found[2]
            log.info("board %s: in use by process %s, %d before us; waiting ...", name, holder, len(before))
        time.sleep(POLL_S)


def _tickets(queue: Path) -> dict[int, Path]:
    """Tickets by number."""
    return {int(found[1]): path for path in queue.iterdir() if (found := _TICKET.fullmatch(path.name))}


def _alive(path: Path) -> bool:
    """Whether a ticket's process lives; the ticket of one that does not is removed."""
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    path.unlink(missing_ok=True)
    return False
