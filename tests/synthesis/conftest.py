"""The real synthesizer where AI8X_SYNTHESIS names a checkout, and a stand-in for its ways to fail."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from maxexp.chip.config import DeviceConfig
from maxexp.network.graph import Network
from maxexp.quantization.files.checkpoint import write_integer
from maxexp.synthesis import ai8x
from maxexp.synthesis.ai8x import Synthesis, Synthesizer
from maxexp.synthesis.config import SynthesisConfig, SynthesisMethod
from maxexp.synthesis.stand_in import random_image, random_integers

MAX78000 = DeviceConfig("max78000", 50.0)


@pytest.fixture(scope="session")
def synthesizer(checkout: Path) -> Synthesizer:
    return Synthesizer(SynthesisConfig(SynthesisMethod.ai8x, str(checkout)), MAX78000)


@pytest.fixture(scope="session")
def synthesize() -> Callable[..., Synthesis]:
    """``synthesize(synthesizer, network, folder, bits, seed)``: a network with made-up weights."""

    def synthesize(
        synthesizer: Synthesizer, network: Network, folder: Path, bits: dict[str, int] | None = None, seed: int = 0
    ) -> Synthesis:
        integer = random_integers(network, bits or {}, seed)
        checkpoint = folder / "q.pth.tar"
        write_integer(checkpoint, integer, 0, {})
        image = random_image(network.in_shape, seed)
        return synthesizer.run(integer, checkpoint, "cifar10", image, folder / "synthesis")

    return synthesize


@pytest.fixture
def stand_in(tmp_path, monkeypatch) -> Callable[..., Synthesizer]:
    """``stand_in("raise SystemExit(1)")``: a checkout whose ai8xize.py is that program."""

    def stand_in(program: str, **settings) -> Synthesizer:
        folder = tmp_path / "checkout"
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("izer", "assets"):
            (folder / name).mkdir(parents=True)
        (folder / "ai8xize.py").write_text(program)
        monkeypatch.setattr(ai8x, "environment_python", lambda interpreter: Path(sys.executable))
        return Synthesizer(SynthesisConfig(SynthesisMethod.ai8x, str(folder), **settings), MAX78000)

    return stand_in
