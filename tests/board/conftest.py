"""Firmware of the right form, and the maker's synthesizer, called by hand."""

from pathlib import Path

import pytest

from maxexp.board.firmware import Firmware
from maxexp.synthesis.environment import environment_python
from tests.board.generated import Synthesizer


@pytest.fixture(scope="session")
def synthesizer(compiler, checkout: Path) -> Synthesizer:
    """In the environment that maxexp makes for it."""
    return Synthesizer(checkout, Path(environment_python()))


@pytest.fixture
def firmware(tmp_path) -> Firmware:
    files = [tmp_path / f"firmware.{kind}" for kind in ("elf", "hex", "bin")]
    for file in files:
        file.write_bytes(file.suffix.encode() * 1000)
    return Firmware(*files)
