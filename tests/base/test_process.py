"""Other programs: what they say is kept within bounds, and nobody waits for what they leave behind."""

import sys
import time

import pytest

from maxexp.base import process
from maxexp.base.process import run_program


@pytest.mark.parametrize("piece", ["x" * 1000, "x" * 999 + "\\n"])
def test_of_a_program_that_writes_without_end_the_end_is_kept(monkeypatch, piece):
    monkeypatch.setattr(process, "MOST_KEPT", 300_000)
    done = run_program(
        [sys.executable, "-c", f"for _ in range(2000): print('{piece}', end='')\nprint('the end')"], ""
    )
    assert done.code == 0 and done.output.endswith("the end\n")
    assert 200_000 < len(done.output) <= 300_000


def test_a_process_that_a_program_leaves_behind_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(process, "REST_S", 0.5)
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)'])"
    code = f"import subprocess, sys; print('said', flush=True); {child}"
    began = time.monotonic()
    done = run_program([sys.executable, "-c", code], "")
    assert done.code == 0 and done.output == "said\n" and time.monotonic() - began < 15
