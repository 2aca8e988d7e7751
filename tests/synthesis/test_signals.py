"""Networks of signals in the real synthesizer and on the emulated board; random ones are in test_emulated.py."""

import numpy as np
import pytest
import torch

from maxexp.board.emulator.run import run_emulated
from maxexp.board.firmware import build_firmware
from maxexp.chip.config import find_part
from maxexp.quantization.files.checkpoint import read_checkpoint, to_integer_network
from maxexp.synthesis.environment import environment_python
from tests.board.generated import Synthesizer
from tests.synthesis.test_emulated import check

pytestmark = [pytest.mark.ai8x, pytest.mark.slow]

PART = find_part("max78000")
CYCLES = {
    "kws20": 100_110,
    "kws20_v2": 98_158,
    "kws20_v3": 71_782,
    "kws20_nas": 123_451,
    "autoencoder": 3_415,
    "tcresnet8": 38_749,
}


@pytest.mark.parametrize("name", CYCLES)
def test_networks_with_weights_of_ours(synthesizer, synthesize, compiler, signal_model, tmp_path, name):
    synthesis = synthesize(synthesizer, signal_model(name), tmp_path)
    assert synthesis.cost.cycles == CYCLES[name]
    check(synthesis, tmp_path)


KEYWORD_LAYERS = (*(f"voice_conv{i}" for i in range(1, 5)), *(f"kws_conv{i}" for i in range(1, 5)), "fc")
MAKERS = {
    "kws20": (("kws20-hwc", "ai85-kws20-qat8-q", "kws_20"), []),
    # Its demonstration has a file whose biases have other names than the weights; this one was trained without.
    "kws20_v3": (
        ("kws20-v3-hwc", "ai85-kws20_v3_msnoise_mixed-qat8-q", "kws_20"),
        [f"model.layers.{name}.bias=false" for name in KEYWORD_LAYERS],
    ),
    # It maps a ReLU behind the bottleneck, which the network that it trained does not have.
    "autoencoder": (
        ("ai85-autoencoder", "ai85-autoencoder-samplemotordatalimerick-qat-q", "motordatalimerick_fortrain"),
        ["model.layers.en_lin2.activation=relu"],
    ),
}
"""Its network YAML, trained network and sample; and what of our description differs."""

AS_MAPPED = CYCLES | {"kws20": 100_366}
"""The maker has the 30 channels of kws_conv4 begin at processor 34: 32 time slots take 2 x 128 cycles longer."""


@pytest.mark.parametrize("name", MAKERS)
def test_the_makers_trained_networks(checkout, compiler, signal_model, tmp_path, name):
    """As the maker maps them: its known answer is that of our integer network, and its firmware passes."""
    (described, trained, sample), overrides = MAKERS[name]
    path, signal = checkout / "trained" / f"{trained}.pth.tar", checkout / "tests" / f"sample_{sample}.npy"
    maker = Synthesizer(checkout, environment_python(None))
    options = ("--sample-numpy-filename", "answer.npy")
    generated = maker.run(tmp_path, path, checkout / "networks" / f"{described}.yaml", signal, *options)
    integer = to_integer_network(read_checkpoint(path), signal_model(name, *overrides))
    outputs = integer(torch.from_numpy(np.load(signal))[None, ..., None])[0]
    assert outputs.tolist() == np.load(generated.project / "answer.npy").ravel().tolist()
    run = run_emulated(build_firmware(generated.project, tmp_path / "build", PART).image, PART)
    assert run.result.passed, run.result.text
    assert run.layer_cycles == generated.layer_cycles
    assert run.cycles == AS_MAPPED[name]
