"""Decisions of integer networks, and the numbers in which training computes."""

import io

import pytest
import torch

from maxexp.base.errors import TrainingError
from maxexp.chip.numbers.integer import IntegerLayer, IntegerNetwork
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.dataset import ImageSet
from maxexp.network.config import LayerConfig, NetworkConfig
from maxexp.network.graph import build_network
from maxexp.network.module import NetworkModule
from maxexp.tasks.classification import Classification
from maxexp.training.config import Precision, TrainerConfig
from maxexp.training.evaluation import evaluate_integer, evaluate_module
from maxexp.training.hardware import training_device, training_precision


def test_the_first_of_equal_logits_wins_as_in_the_firmware():
    config = NetworkConfig("n", 1.0, {"fc": LayerConfig(op="linear", out_features=3, wide=True)})
    network = build_network(config, (1, 1, 1))
    weight = torch.tensor([[1], [2], [2]], dtype=torch.int8)
    integer = IntegerNetwork(network, [IntegerLayer(network.layers[0], weight)])
    images = ImageSet(torch.full((1, 1, 1, 1), 200, dtype=torch.uint8), torch.tensor([1]), ["a", "b", "c"], "")
    assert evaluate_integer(integer, Classification(), images, InputMapping.p128).decisions.tolist() == [1]


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_outputs_that_are_no_numbers_have_no_largest(broken):
    config = NetworkConfig("n", 1.0, {"fc": LayerConfig(op="linear", out_features=3, wide=True)})
    module = NetworkModule(build_network(config, (1, 1, 1)))
    images = ImageSet(torch.full((1, 1, 1, 1), 200, dtype=torch.uint8), torch.tensor([1]), ["a", "b", "c"], "")
    assert len(evaluate_module(module, Classification(), images, InputMapping.p128).decisions) == 1
    module.layers()[0].weight.data[1] = broken
    with pytest.raises(TrainingError, match="outputs of the network n for some examples are not finite numbers"):
        evaluate_module(module, Classification(), images, InputMapping.p128)


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("fpu avx2 avx512f", Precision.float32),
        ("fpu avx512f avx512_bf16", Precision.bfloat16),
        ("fpu amx_bf16 amx_tile", Precision.bfloat16),
        ("fpu amx_bf16x", Precision.float32),
    ],
)
def test_precision_follows_what_the_processor_says(flags, precision, monkeypatch):
    cpuinfo = f"processor\t: 0\nflags\t\t: {flags}\nbugs\t: amx_bf16\n"
    monkeypatch.setattr("builtins.open", lambda path: io.StringIO(cpuinfo))
    device = training_device(TrainerConfig(accelerator="cpu"))
    assert training_precision(TrainerConfig(), device) is precision
    assert training_precision(TrainerConfig(precision=Precision.float32), device) is Precision.float32


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_accelerator_is_named():
    from maxexp.base.errors import ConfigError

    with pytest.raises(ConfigError, match=r"trainer\.accelerator=gpu.*auto"):
        training_device(TrainerConfig(accelerator="gpu"))
