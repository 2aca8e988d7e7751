"""Other programs, whose newest line is shown while they run."""

import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.status import Status

LONGEST_LINE = 100
MOST_KEPT = 4 << 20
"""Characters of each stream that are kept, the last ones: a program may write without end."""
PIECE = 1 << 16
REST_S = 5.0
"""Seconds for the rest of the output once a program has ended: a process that it leaves behind may keep it open."""


@dataclass(frozen=True)
class Finished:
    """What a program left: exit code (None if it was stopped), the last MOST_KEPT of standard output and error."""

    code: int | None
    output: str
    errors: str


def run_program(
    command: Sequence[str],
    title: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> Finished:
    """Runs a program to its end; on a terminal its newest line is shown beside ``title``.

    Whatever ends the wait, Ctrl-C included, ends the program too.

    Raises:
        OSError: it cannot be started.
    """
    output: deque[str] = deque()
    errors: deque[str] = deque()
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    assert process.stdout and process.stderr
    code = None
    with Console(stderr=True).status(title) as status:
        readers = [
            threading.Thread(target=_read, args=(stream, pieces, title, status), daemon=True)
            for stream, pieces in ((process.stdout, output), (process.stderr, errors))
        ]
        for reader in readers:
            reader.start()
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            process.kill()
            process.wait()
            for reader in readers:
                reader.join(REST_S)
    return Finished(code, "".join(list(output)), "".join(list(errors)))


def _read(stream: IO[str], pieces: deque[str], title: str, status: Status) -> None:
    kept = 0
    with stream:
        while line := stream.readline(PIECE):
            pieces.append(line)
            kept += len(line)
            while kept > MOST_KEPT:
                kept -= len(pieces.popleft())
            if line.strip():
                # Square brackets would be taken for rich's markup.
                status.update(f"{title}: {line.strip()[:LONGEST_LINE]}".replace("[", "\\["))
