"""Other programs, whose newest line is shown while they run."""

import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.status import Status

LONGEST_LINE = 100


@dataclass(frozen=True)
class Finished:
    """What a program left: exit code (None if it was stopped), standard output and error."""

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
    output: list[str] = []
    errors: list[str] = []
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
            threading.Thread(target=_read, args=(stream, lines, title, status))
            for stream, lines in ((process.stdout, output), (process.stderr, errors))
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
                reader.join()
    return Finished(code, "".join(output), "".join(errors))


def _read(stream: IO[str], lines: list[str], title: str, status: Status) -> None:
    with stream:
        for line in stream:
            lines.append(line)
            if line.strip():
                # Square brackets would be taken for rich's markup.
                status.update(f"{title}: {line.strip()[:LONGEST_LINE]}".replace("[", "\\["))
