"""The maker's synthesizer and the compiler, where there are any."""

import os
from pathlib import Path
from shutil import which

import pytest

from maxexp.board.firmware import COMPILER, COMPILER_FIX
from maxexp.synthesis.ai8x import CHECKOUT_VARIABLE, find_checkout
from maxexp.synthesis.environment import environment_python
from tests.board.generated import Synthesizer


@pytest.fixture(scope="session")
def compiler() -> None:
    """For tests that build firmware."""
    if which(COMPILER) is None:
        pytest.skip(f"no {COMPILER}: {COMPILER_FIX}")


@pytest.fixture(scope="session")
def synthesizer(compiler) -> Synthesizer:
    """The checkout that AI8X_SYNTHESIS names, in the environment that maxexp makes for it."""
    if CHECKOUT_VARIABLE not in os.environ:
        pytest.skip(f"set {CHECKOUT_VARIABLE} to a checkout of ai8x-synthesis")
    return Synthesizer(find_checkout(None), Path(environment_python()))
