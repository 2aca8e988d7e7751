"""Commands that are killed: their families of processes, and what is left of these."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
END_S = 180.0
"""Seconds in which all processes of a killed command have to end."""


def start(arguments: list[str], folder: Path) -> subprocess.Popen:
    """``python -m maxexp ARGUMENTS`` in a folder, as a group of processes of its own; output.txt has what it says."""
    with open(folder / "output.txt", "ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "maxexp", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def descendants(process: subprocess.Popen) -> list[psutil.Process]:
    """All processes that a command has started and that are alive."""
    try:
        return [each for each in psutil.Process(process.pid).children(recursive=True) if alive(each)]
    except psutil.NoSuchProcess:
        return []


def workers(process: subprocess.Popen) -> list[psutil.Process]:
    """Worker processes of a sweep."""
    found = []
    for each in descendants(process):
        try:
            if "maxexp.sweep.workers.worker" in each.cmdline():
                found.append(each)
        except psutil.Error:
            continue
    return found


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
