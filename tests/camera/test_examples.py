"""Every camera command of the documentation and of --help works, for a user in a shell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maxexp.camera.options import CAPTURE, CONVERT, SHEET
from maxexp.camera.stream import dump
from tests.camera.board import some_frame
from tests.docs.pages import starting

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = "python -m maxexp.camera "


def commands(text: str) -> list[str]:
    return re.findall(rf"^ *({re.escape(PROGRAM)}.*)$", text, re.MULTILINE)


GUIDE = starting(PROGRAM)


@pytest.fixture
def shell(tmp_path, photo, board):
    """Runs a command in a folder that has what the examples name; their port is a board's."""
    fthr = board(synced=False)
    (tmp_path / "frames").mkdir()
    shutil.copy(photo, tmp_path / "frames" / "old.png")
    (tmp_path / "frame.bin").write_bytes(some_frame(64, 64, 0).data)
    (tmp_path / "frame.img").write_bytes(dump(some_frame(8, 6, 0)))
    (tmp_path / "recorded.bin").write_bytes(b"Ready!\n" + dump(some_frame(8, 6, 0)))
    words = ", ".join(["0x00b1f01f"] * 1024)
    (tmp_path / "sampledata.h").write_text(f"#define SAMPLE_INPUT_0 {{ \\\n  {words} \\\n}}\n")

    def shell(line: str) -> subprocess.CompletedProcess:
        line = line.replace("python", sys.executable, 1).replace("/dev/ttyACM0", fthr.port)
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        return subprocess.run(
            line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )

    return shell


def test_the_guide_one_after_the_other(shell, tmp_path):
    assert len(GUIDE) >= 3
    for line in GUIDE:
        done = shell(line)
        assert (done.returncode, done.stderr) == (0, ""), line
    assert np.array_equal(np.load(tmp_path / "input.npy"), some_frame(64, 64, 0).network_input())
    assert Image.open(tmp_path / "sheet.png").width > 3 * 192


@pytest.mark.parametrize("line", commands("\n".join((CONVERT, SHEET, CAPTURE))))
def test_the_help(shell, line):
    done = shell(line)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_shows_its_examples(camera):
    for name, text in {"convert": CONVERT, "sheet": SHEET, "capture": CAPTURE}.items():
        done = camera(name, "--help")
        assert done.code == 0 and text in done.out


def test_no_command_is_a_usage_error(camera):
    assert camera().code == 2
