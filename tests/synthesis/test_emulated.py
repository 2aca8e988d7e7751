"""Our maps, the real synthesizer's firmware, the emulator: each network must pass, with equal cycles in all three."""

import shutil

import pytest

from maxexp.board.emulator.run import run_emulated
from maxexp.board.firmware import COMPILER, COMPILER_FIX, build_firmware
from maxexp.errors import DeviceError
from maxexp.synthesis.ai8x import Synthesis
from tests.synthesis.test_maker import RESIDUAL, bits_of

pytestmark = [pytest.mark.ai8x, pytest.mark.slow]


@pytest.fixture(autouse=True)
def compiler():
    if shutil.which(COMPILER) is None:
        pytest.skip(f"no {COMPILER}: {COMPILER_FIX}")


def check(synthesis: Synthesis, folder) -> None:
    """The synthesizer has confirmed our cycles and outputs already."""
    run = run_emulated(build_firmware(synthesis.project, folder / "build").image)
    assert run.result.passed, run.result.text
    assert run.cycles == synthesis.cost.cycles
    assert run.layer_cycles[1:] == [layer.cycles for layer in synthesis.cost.layers]
    if run.result.logits:
        # The firmware shifts logits of few-bit weights up before its softmax (hardware.md 6.4).
        shift = 8 - synthesis.cost.layers[-1].bits
        assert list(run.result.logits.values()) == (synthesis.answer.ravel() << shift).tolist()


@pytest.mark.parametrize(("name", "classes"), [("cmsisnnet", 10), ("simplenet", 10), ("nascifarnet", 100)])
def test_networks_of_the_deck(synthesizer, synthesize, model, tmp_path, name, classes):
    check(synthesize(synthesizer, model(name, classes=classes), tmp_path), tmp_path)


def test_mixed_precision(synthesizer, synthesize, model, tmp_path):
    network = model("nascifarnet")
    bits = dict.fromkeys(network.by_name, 4) | {"conv1_1": 8, "conv3_1": 2, "conv4_2": 1, "fc": 8}
    check(synthesize(synthesizer, network, tmp_path, bits), tmp_path)


def test_residual(synthesizer, synthesize, make_network, tmp_path):
    check(synthesize(synthesizer, make_network(RESIDUAL, (3, 16, 16)), tmp_path), tmp_path)


@pytest.mark.parametrize("seed", range(50))
def test_random_networks(synthesizer, synthesize, random_network, tmp_path, seed):
    """All that the grammar has; what does not fit is refused by us, and another one takes its place."""
    for attempt in range(seed, 10_000, 50):
        network = random_network(attempt, max_channels=150, max_size=20, max_layers=10)
        try:
            synthesis = synthesize(synthesizer, network, tmp_path, bits_of(network, attempt), attempt)
        except DeviceError:
            continue
        check(synthesis, tmp_path)
        return
