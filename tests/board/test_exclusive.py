"""One board and several processes, some of which die."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maxexp.board.real.exclusive import exclusive_board
from tests.runs import REPOSITORY

USER = """
import logging, pathlib, sys, time
from maxexp.board.real.exclusive import exclusive_board
folder, name, seconds = pathlib.Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
logging.basicConfig(level=logging.INFO, format="%(message)s")
with exclusive_board("/dev/ttyACM0", folder / "locks"):
    with (folder / "story.txt").open("a") as story:
        print("begin", name, file=story, flush=True)
        time.sleep(seconds)
        print("end", name, file=story, flush=True)
"""


@pytest.fixture
def use(tmp_path):
    """``use("a", 0.5)``: a process that wants the board for half a second."""
    processes = []

    def use(name: str, seconds: float) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", USER, str(tmp_path), name, str(seconds)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield use
    for process in processes:
        process.kill()
        process.wait()


def story(folder: Path) -> list[str]:
    path = folder / "story.txt"
    return path.read_text().splitlines() if path.exists() else []


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_after_the_other(use, tmp_path):
    first = use("a", 3)
    wait_for(lambda: "begin a" in story(tmp_path))
    others = [use(name, 0.1) for name in "bc"]
    for process in (first, *others):
        assert process.wait(60) == 0
    words = [line.split() for line in story(tmp_path)]
    assert [what for what, _ in words] == ["begin", "end"] * 3
    assert [name for _, name in words[::2]] == [name for _, name in words[1::2]], "never two at a time"
    assert sorted(name for _, name in words[::2]) == ["a", "b", "c"]
    assert "board /dev/ttyACM0: another process uses it; waiting ..." in others[0].stderr.read()


def test_the_dead_keep_nobody_waiting(use, tmp_path):
    holder = use("a", 600)
    wait_for(lambda: "begin a" in story(tmp_path))
    last = use("b", 0)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert last.wait(60) == 0
    assert story(tmp_path) == ["begin a", "begin b", "end b"]


def test_an_error_gives_the_board_back(tmp_path):
    with pytest.raises(ZeroDivisionError), exclusive_board("COM3", tmp_path):
        1 / 0  # noqa: B018
    with exclusive_board("COM3", tmp_path):
        pass


def test_boards_do_not_wait_for_one_another(tmp_path):
    with exclusive_board("/dev/ttyACM0", tmp_path), exclusive_board("/dev/ttyACM1", tmp_path):
        pass
