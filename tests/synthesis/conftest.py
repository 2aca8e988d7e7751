"""The real synthesizer where AI8X_SYNTHESIS names a checkout, and a stand-in for its ways to fail."""

import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from maxexp.base.errors import DeviceError
from maxexp.chip.check import check_fit
from maxexp.chip.config import DeviceConfig
from maxexp.network.graph import Network, build_network
from maxexp.quantization.files.checkpoint import write_integer
from maxexp.synthesis import ai8x
from maxexp.synthesis.ai8x import ConfirmedSynthesis, Synthesizer
from maxexp.synthesis.config import SynthesisConfig, SynthesisMethod
from maxexp.synthesis.stand_in import random_image, random_integers
from tests.conftest import composed
from tests.synthesis.networks import LAYERS, PRESETS, RANDOM, SIGNALS

MAX78000 = DeviceConfig("max78000", 50.0)


@pytest.fixture(scope="session")
def synthesizer(checkout: Path) -> Synthesizer:
    return Synthesizer(SynthesisConfig(SynthesisMethod.ai8x, str(checkout)), MAX78000)


@pytest.fixture(scope="session")
def synthesize() -> Callable[..., ConfirmedSynthesis]:
    """``synthesize(synthesizer, network, folder, bits, seed)``: a network with made-up weights."""

    def synthesize(
        synthesizer: Synthesizer, network: Network, folder: Path, bits: dict[str, int] | None = None, seed: int = 0
    ) -> ConfirmedSynthesis:
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


Case = tuple[Network, dict[str, int], int]
"""A network, weight bits of its layers, and the seed of its weights."""


@pytest.fixture(scope="session")
def drawn(random_network, max78000) -> Callable[[int], Case]:
    """``drawn(number)``: a random network that fits, bits of its layers, and the seed that it is from."""

    def drawn(number: int) -> Case:
        # What does not fit is refused by us, and another one takes its place.
        for seed in range(number, 10_000, RANDOM):
            network = random_network(seed, max_channels=150, max_size=20, max_layers=10)
            bits = _bits(network, seed)
            try:
                check_fit(network, bits, max78000)
            except DeviceError:
                continue
            return network, bits, seed
        raise AssertionError("no random network fits")

    return drawn


def _bits(network, seed: int) -> dict[str, int]:
    """Of every width; 8 where the channels of a pass are not all there."""
    draw = random.Random(seed)
    layers = [layer for layer in network if layer.has_weights]
    return {
        x.name: draw.choice([1, 2, 4, 8]) if x.in_shape[0] % 24 == 0 or x.in_shape[0] <= 64 else 8 for x in layers
    }


@pytest.fixture(scope="session")
def case(model, signal_model, make_network, drawn) -> Callable[[str], Case]:
    """``case("simplenet mixed")``: a network of the deck, of the maker, of these tests, or ``random 7``."""

    def case(name: str) -> Case:
        if name.startswith("random "):
            return drawn(int(name.split()[1]))
        if name in LAYERS:
            return make_network(*LAYERS[name]), {}, 0
        if name in SIGNALS:
            return signal_model(name), {}, 0
        model_name, dataset, quantization = PRESETS[name]
        config = composed(f"model={model_name}", f"dataset={dataset}", f"quantization={quantization}")
        network = build_network(config.model, config.dataset.shape)
        return network, config.quantization.bits(network), 0

    return case
