"""The real synthesizer: it must accept every map of ours, and agree in every figure and every output.

``Synthesizer.run`` compares cycles, operations, columns, offsets and bytes layer by layer, and the outputs of the
sample; any difference raises. So it is enough that it comes back.
"""

import json
import random

import numpy as np
import pytest
import torch

from maxexp.device.integer import IntegerNetwork
from maxexp.errors import DeviceError
from maxexp.quantization.checkpoint import read_checkpoint, to_integer_network, write_integer
from maxexp.synthesis.stand_in import random_image, random_integers
from tests.app.conftest import call

pytestmark = pytest.mark.ai8x

RESIDUAL = {
    "stem": {"out_channels": 20},
    "conv": {"out_channels": 20},
    "sum": {"out_channels": 44, "inputs": ["stem", "conv"], "eltwise": "add", "pool": "max"},
    "conv2": {"out_channels": 44},
    "conv3": {"out_channels": 44},
    "bare": {"op": "passthrough", "inputs": ["conv3", "sum", "conv2"], "eltwise": "add"},
    "pool": {"op": "passthrough", "pool": "avg", "pool_size": 4},
    "fc": {"op": "linear", "out_features": 10, "wide": True},
}


def bits_of(network, seed):
    """Of every width; 8 where the channels of a pass are not all there."""
    draw = random.Random(seed)
    layers = [layer for layer in network if layer.has_weights]
    return {
        x.name: draw.choice([1, 2, 4, 8]) if x.in_shape[0] % 24 == 0 or x.in_shape[0] <= 64 else 8 for x in layers
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "classes", "cycles", "weights"),
    [
        ("cmsisnnet", 10, 94_889, 94_048),
        ("simplenet", 10, 101_613, 408_928),
        ("nascifarnet", 10, 228_217, 301_760),
        ("nascifarnet", 100, 228_937, 347_840),
    ],
)
def test_networks_of_the_deck(synthesizer, synthesize, model, tmp_path, name, classes, cycles, weights):
    result = synthesize(synthesizer, model(name, classes=classes), tmp_path)
    assert (result.figures.cycles, result.figures.weight_bytes) == (cycles, weights)


@pytest.mark.slow
def test_mixed_precision(synthesizer, synthesize, model, tmp_path):
    network = model("nascifarnet")
    bits = dict.fromkeys(network.by_name, 4) | {"conv1_1": 8, "conv3_1": 2, "conv4_2": 1, "fc": 8}
    synthesize(synthesizer, network, tmp_path, bits)


def test_residual(synthesizer, synthesize, make_network, tmp_path):
    result = synthesize(synthesizer, make_network(RESIDUAL, (3, 16, 16)), tmp_path)
    copies = [layer.name for layer in result.cost.layers if "-for-" in layer.name]
    assert copies == ["stem-for-sum", "sum-for-bare", "conv2-for-bare"]
    assert {"main.c", "cnn.c", "weights.h", "log.txt"} <= {path.name for path in result.project.iterdir()}


def test_the_names_that_it_reserves_are_no_trouble(synthesizer, synthesize, make_network, tmp_path):
    """It takes weights of its own for "test", reserves "stop" for a layer, and knows no upper case."""
    layers = {"stop": {"out_channels": 4}, "STOP": {"out_channels": 4, "bias": False}}
    network = make_network(layers, (3, 6, 6))
    synthesize(synthesizer, type(network)("test", network.in_shape, network.layers), tmp_path)


def test_weights_and_biases_that_are_all_zero(synthesizer, make_network, tmp_path):
    network = make_network({"a": {"out_channels": 4}, "b": {"out_channels": 4, "wide": True}}, (3, 6, 6))
    integer = random_integers(network, {"a": 4}, 0)
    first, last = integer.layers
    silent = type(first)(first.layer, torch.zeros_like(first.weight), torch.zeros_like(first.bias), 4, 0)
    integer = IntegerNetwork(network, [silent, last])
    write_integer(tmp_path / "q.pth.tar", integer, 0, {})
    image = random_image(network.in_shape, 0)
    result = synthesizer.run(integer, tmp_path / "q.pth.tar", "cifar10", image, tmp_path / "synthesis")
    assert result.figures.bias_bytes == 4
    assert any("zero" in warning for warning in result.warnings)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_random_networks(synthesizer, synthesize, random_network, max78000, tmp_path, seed):
    """All that the grammar has; what does not fit is refused by us, and another one takes its place."""
    for attempt in range(seed, 10_000, 50):
        network = random_network(attempt, max_channels=150, max_size=20, max_layers=10)
        try:
            synthesize(synthesizer, network, tmp_path, bits_of(network, attempt), attempt)
            return
        except DeviceError:
            continue


@pytest.mark.slow
def test_the_makers_network_and_sample_give_the_golden_logits(synthesizer, ai8x, model, tmp_path):
    golden = json.loads((ai8x / "cifar10-nas.golden.json").read_text())
    integer = to_integer_network(read_checkpoint(ai8x / "ai85-cifar10-qat8-q.pth.tar"), model("nascifarnet"))
    write_integer(tmp_path / "q.pth.tar", integer, 0, {})
    sample = torch.from_numpy(np.load(ai8x / "sample_cifar-10.npy"))
    result = synthesizer.run(integer, tmp_path / "q.pth.tar", "cifar10", sample, tmp_path / "synthesis")
    assert result.answer.ravel().tolist() == golden["logits_int32"]
    assert (result.figures.bias_bytes, result.figures.macs) == (842, 36_180_992)


@pytest.mark.slow
def test_on_the_command_line(checkout, data_root, tmp_path):
    done = call(
        "model=nascifarnet",
        "dataset=cifar10",
        "stages=[synthesize]",
        f"checkpoint={data_root}/ai8x/ai85-cifar10-qat8.pth.tar",
        f"dataset.root={data_root}",
        "synthesis=ai8x",
        f"synthesis.path={checkout}",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    assert ["cycles", "228,217", "synthesized"] in cells
    assert ["weight memory", "301,760 bytes", "synthesized"] in cells
    assert ["bias memory", "842 bytes", "synthesized"] in cells
    assert ["multiply-accumulates", "36,180,992", "counted"] in cells
