"""Commands work where whoever starts them has closed the standard streams."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import REPOSITORY

WRITE = """
import os, maxexp.cli
os.set_blocking(0, True)
file = open("file", "w")
print("to stdout"); os.write(1, b"to the descriptor"); os.write(2, b"to the other")
assert os.read(0, 1) == b""
file.write("content"); file.close()
"""


def shell(line: str, folder: Path) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = ["bash", "-c", line, "bash", sys.executable]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_no_file_gets_the_place_of_a_closed_stream(tmp_path):
    (tmp_path / "write.py").write_text(WRITE)
    done = shell('"$1" write.py <&- >&- 2>&-', tmp_path)
    assert done.returncode == 0 and (tmp_path / "file").read_text() == "content"


def test_what_the_terminal_cannot_show_is_written_out(tmp_path):
    line = """PYTHONIOENCODING=ascii "$1" -c 'import maxexp.cli; print("caf\\u00e9 \\udce9")'"""
    assert shell(line, tmp_path).stdout == "caf\\xe9 \\udce9\n"


@pytest.mark.parametrize("closed", ["<&- >&-", "<&- >&- 2>&-"])
def test_a_run_needs_no_stream(tmp_path, closed):
    words = "'stages=[synthesize]' tracking.system_metrics=false"
    done = shell(f'"$1" -m maxexp {words} {closed}', tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("mlruns/artifacts/*/artifacts/summary.html"))) == 1


@pytest.mark.parametrize("words", ["cost simplenet dataset=cifar10", "'stages=[synthesize]'"])
def test_a_full_disk_behind_the_standard_output_is_named(tmp_path, words):
    """And not the folder of the run, which has space."""
    done = shell(f'"$1" -m maxexp {words} > /dev/full', tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "maxexp: error: cannot write to the standard output: the disk is full"
    )
