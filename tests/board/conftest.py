"""The maker's synthesizer and the compiler, where there are any."""

import os
import subprocess
from pathlib import Path
from shutil import which

import pytest

from maxexp.board.firmware import COMPILER, COMPILER_FIX
from tests.board.generated import Synthesizer


@pytest.fixture(scope="session")
def compiler() -> None:
    """For tests that build firmware."""
    if which(COMPILER) is None:
        pytest.skip(f"no {COMPILER}: {COMPILER_FIX}")


@pytest.fixture(scope="session")
def synthesizer(compiler) -> Synthesizer:
    """The checkout that AI8X_SYNTHESIS names, run by AI8X_PYTHON."""
    checkout, python = os.environ.get("AI8X_SYNTHESIS"), os.environ.get("AI8X_PYTHON")
    if not checkout or not Path(checkout, "ai8xize.py").is_file():
        pytest.skip("no ai8x-synthesis: set AI8X_SYNTHESIS to a checkout")
    if not python or subprocess.run([python, "-c", "import torch, rich, xxhash"], capture_output=True).returncode:
        pytest.skip("no environment for ai8x-synthesis: set AI8X_PYTHON to an interpreter with its requirements")
    return Synthesizer(Path(checkout).resolve(), Path(python))
