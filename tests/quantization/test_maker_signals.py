"""The maker's checkpoints of networks for signals: our quantizer against its own."""

import os
import subprocess

import pytest
import torch

from maxexp.quantization.files.checkpoint import Kind, read_checkpoint, to_integer_network, to_module, write_integer
from maxexp.quantization.files.export import to_integer
from maxexp.synthesis.environment import environment_python

pytestmark = pytest.mark.ai8x

LAYERS = (*(f"voice_conv{i}" for i in range(1, 5)), *(f"kws_conv{i}" for i in range(1, 5)), "fc")
TRAINED = {
    "ai85-kws20_v3-qat8": ("kws20_v3", []),
    "ai85-kws20_v3_msnoise_mixed-qat8": ("kws20_v3", [f"model.layers.{name}.bias=false" for name in LAYERS]),
    "ai85-autoencoder-samplemotordatalimerick-qat": ("autoencoder", []),
}
"""Networks and what of our description differs, by file."""


@pytest.mark.parametrize("file", TRAINED)
def test_quantizer_agrees_in_every_tensor(checkout, signal_model, file, tmp_path):
    """Layout included: ours is read back as theirs is."""
    name, overrides = TRAINED[file]
    network = signal_model(name, *overrides)
    path = checkout / "trained" / file
    trained = read_checkpoint(path.with_name(f"{path.name}.pth.tar"))
    quantized = read_checkpoint(path.with_name(f"{path.name}-q.pth.tar"))
    assert (trained.kind, quantized.kind) == (Kind.quantized, Kind.integer)
    write_integer(tmp_path / "ours.pth.tar", to_integer(to_module(trained, network)), 0, {})
    ours = read_checkpoint(tmp_path / "ours.pth.tar")
    assert set(ours.state) == set(quantized.state)
    for key, value in quantized.state.items():
        assert torch.equal(ours.state[key], value.float()), key
    x = torch.randint(-128, 128, (4, *network.in_shape))
    assert torch.equal(to_integer_network(ours, network)(x), to_integer_network(quantized, network)(x))


def test_quantizer_agrees_with_the_makers_of_today_on_an_old_checkpoint(checkout, signal_model, tmp_path):
    """The published -q file of kws20 has the shifts that an older quantizer took from training; today's does not."""
    path, theirs = checkout / "trained" / "ai85-kws20-qat8.pth.tar", tmp_path / "theirs.pth.tar"
    command = [environment_python(None), "quantize.py", path, theirs, "--device", "MAX78000"]
    environment = os.environ | {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
    subprocess.run([*map(str, command)], cwd=checkout, env=environment, check=True, capture_output=True)
    quantized = read_checkpoint(theirs)
    write_integer(
        tmp_path / "ours.pth.tar", to_integer(to_module(read_checkpoint(path), signal_model("kws20"))), 0, {}
    )
    ours = read_checkpoint(tmp_path / "ours.pth.tar")
    assert {key for key in ours.state if not key.endswith("shift_quantile")} == set(quantized.state)
    for key, value in quantized.state.items():
        assert torch.equal(ours.state[key], value.float()), key
