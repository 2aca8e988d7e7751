"""The maker's synthesizer, called by hand."""

from pathlib import Path

import pytest

from maxexp.synthesis.environment import environment_python
from tests.board.generated import Synthesizer


@pytest.fixture(scope="session")
def synthesizer(compiler, checkout: Path) -> Synthesizer:
    """In the environment that maxexp makes for it."""
    return Synthesizer(checkout, Path(environment_python()))
