"""The maker's trained network, from file to figures (issue: 9001 and 9002 of 10,000 correct)."""

import pytest

from maxexp.data.augmentation.config import InputMapping
from maxexp.data.dataset import load_split
from maxexp.network.graph import build_network
from maxexp.quantization.files.checkpoint import read_checkpoint, to_module
from maxexp.quantization.files.export import to_integer
from maxexp.tasks.classification import Classification
from maxexp.training.evaluation import evaluate_integer
from tests.conftest import composed


@pytest.mark.parametrize(
    ("mapping", "correct"), [(InputMapping.ai8x, 9002), pytest.param(InputMapping.p128, 9001, marks=pytest.mark.slow)]
)
def test_the_integer_network_gets_as_many_right_as_the_makers_simulator(mapping, correct, data_root):
    config = composed("model=nascifarnet", "dataset=cifar10", f"dataset.root={data_root}")
    network = build_network(config.model, config.dataset.shape)
    checkpoint = read_checkpoint(data_root / "ai8x" / "ai85-cifar10-qat8.pth.tar")
    integer = to_integer(to_module(checkpoint, network))
    found = evaluate_integer(integer, Classification(), load_split(config.dataset, "test"), mapping)
    assert round(found.scores["accuracy"] * len(found.decisions)) == correct


@pytest.mark.slow
def test_on_the_command_line(data_root, run_here):
    file = data_root / "ai8x" / "ai85-cifar10-qat8.pth.tar"
    choice = ["+experiment=cifar10_qat", f"checkpoint={file}", "stages=[evaluate,synthesize]"]
    run = run_here(*choice, f"dataset.root={data_root}")
    assert run.data.metrics["test/accuracy_integer"] == pytest.approx(0.9001)
    assert run.data.metrics["test/accuracy_quantized"] == pytest.approx(0.9001)
    assert run.data.metrics["hw/cycles"] == 228_217
    assert run.data.tags["quantization"] == "qat"
