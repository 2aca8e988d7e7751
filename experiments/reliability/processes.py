"""Commands that are killed: their families of processes, and what is left of these."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from experiments.reliability.forks import SOCKET, Forked, children

Started = subprocess.Popen | Forked
REPOSITORY = Path(__file__).resolve().parents[2]
END_S = 180.0
"""Seconds in which all processes of a killed command have to end."""


@contextmanager
def forking(folder: Path) -> Iterator[None]:
    """Within, commands are forked from a process that has everything imported."""
    path = folder / "forks"
    for each in (path, path.with_name("forks.children")):
        each.unlink(missing_ok=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "experiments.reliability.forks", str(path)], cwd=REPOSITORY, env=environment()
    )
    while not path.exists() and server.poll() is None:
        time.sleep(0.1)
    os.environ[SOCKET] = str(path)
    try:
        yield
    finally:
        del os.environ[SOCKET]
        server.kill()
        server.wait()


def environment() -> dict[str, str]:
    """Variables of all commands."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}


def start(arguments: list[str], folder: Path) -> Started:
    """``python -m maxexp ARGUMENTS`` in a folder, as a group of processes of its own; output.txt has what it says."""
    begin = Forked if SOCKET in os.environ else subprocess.Popen
    with open(folder / "output.txt", "ab") as output:
        return begin(
            [sys.executable, "-m", "maxexp", *arguments],
            cwd=folder,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def descendants(process: Started) -> list[psutil.Process]:
    """All processes that a command has started and that are alive."""
    try:
        family = [each for each in psutil.Process(process.pid).children(recursive=True) if alive(each)]
    except psutil.NoSuchProcess:
        return []
    return family + _forked_by(process)


def workers(process: Started) -> list[psutil.Process]:
    """Worker processes of a sweep."""
    found = _forked_by(process)
    for each in descendants(process):
        try:
            if "maxexp.sweep.workers.worker" in each.cmdline():
                found.append(each)
        except psutil.Error:
            continue
    return found


def _forked_by(process: Started) -> list[psutil.Process]:
    found = []
    for pid in children(process.pid, os.environ[SOCKET]) if SOCKET in os.environ else []:
        try:
            found.append(psutil.Process(pid))
        except psutil.NoSuchProcess:
            continue
    return [each for each in found if alive(each)]


def alive(process: psutil.Process) -> bool:
    """Whether a process runs."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def left_running(family: list[psutil.Process]) -> list[str]:
    """What of a family has not ended in time; it is ended here."""
    end = time.monotonic() + END_S
    while any(map(alive, family)) and time.monotonic() < end:
        time.sleep(0.2)
    left = [each for each in family if alive(each)]
    for each in left:
        each.kill()
    return [f"process {each.pid} was left running" for each in left]
