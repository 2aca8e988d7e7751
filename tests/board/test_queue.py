"""One board and several processes, some of which die."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maxexp.board.real.queue import board_to_oneself
from tests.runs import REPOSITORY

USER = """
import logging, pathlib, sys, time
from maxexp.board.real.queue import board_to_oneself
folder, name, seconds = pathlib.Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
logging.basicConfig(level=logging.INFO, format="%(message)s")
with board_to_oneself("/dev/ttyACM0", folder / "queues"):
    with (folder / "story.txt").open("a") as story:
        print("begin", name, file=story, flush=True)
        time.sleep(seconds)
        print("end", name, file=story, flush=True)
"""


@pytest.fixture
def use(tmp_path):
    """``use("a", 0.5)``: a process that wants the board for half a second; returns when it stands in the queue."""
    processes = []

    def use(name: str, seconds: float) -> subprocess.Popen:
        known = len(tickets(tmp_path))
        process = subprocess.Popen(
            [sys.executable, "-c", USER, str(tmp_path), name, str(seconds)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        wait_for(lambda: len(tickets(tmp_path)) > known)
        return process

    yield use
    for process in processes:
        process.kill()
        process.wait()


def tickets(folder: Path) -> list[Path]:
    return list((folder / "queues").glob("*/*.ticket"))


def story(folder: Path) -> list[str]:
    path = folder / "story.txt"
    return path.read_text().splitlines() if path.exists() else []


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_after_the_other_in_the_order_of_coming(use, tmp_path):
    first = use("a", 2)
    wait_for(lambda: "begin a" in story(tmp_path))
    others = [use(name, 0) for name in "bcd"]
    for process in (first, *others):
        assert process.wait(60) == 0
    assert story(tmp_path) == [f"{what} {name}" for name in "abcd" for what in ("begin", "end")]
    assert f"in use by process {first.pid}, 1 before us" in others[0].stderr.read()
    assert tickets(tmp_path) == []


def test_the_dead_keep_nobody_waiting(use, tmp_path):
    holder, waiting, last = use("a", 600), use("b", 600), use("c", 0)
    wait_for(lambda: "begin a" in story(tmp_path))
    for process in (waiting, holder):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert last.wait(60) == 0
    assert story(tmp_path) == ["begin a", "begin c", "end c"]
    assert tickets(tmp_path) == []


def test_an_error_gives_the_board_back(tmp_path):
    with pytest.raises(ZeroDivisionError), board_to_oneself("COM3", tmp_path):
        1 / 0  # noqa: B018
    with board_to_oneself("COM3", tmp_path):
        pass


def test_boards_do_not_wait_for_one_another(tmp_path):
    with board_to_oneself("/dev/ttyACM0", tmp_path), board_to_oneself("/dev/ttyACM1", tmp_path):
        pass
