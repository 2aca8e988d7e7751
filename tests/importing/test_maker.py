"""The networks of a checkout of ai8x-training, which AI8X_TRAINING names, as networks of ours."""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

import maxexp
from maxexp.quantization.simulate.fake import ClampedNumerics
from tests.importing.modules import inputs

NETWORKS = {
    "ai85net5": ("ai85net", 72228, 5),
    "ai85nascifarnet": ("ai85net-nas-cifar", 301760, 11),
    "ai85simplenet": ("ai85net-simplenet", 370272, 14),
    "ai85ressimplenet": ("ai85net-res-simplenet", 370272, 14),
}
"""By name, the file of each, and its weights and layers with ten classes."""


@pytest.fixture(scope="module")
def training() -> Path:
    """The checkout, set to its chip and to floating point."""
    path = os.environ.get("AI8X_TRAINING")
    if not path:
        pytest.skip("set AI8X_TRAINING to a checkout of ai8x-training")
    sys.path.insert(0, path)
    try:
        ai8x = importlib.import_module("ai8x")
    finally:
        sys.path.remove(path)
    ai8x.set_device(85, False, False, verbose=False)
    return Path(path)


def network(training: Path, name: str) -> nn.Module:
    """One of the maker's networks, with weights and statistics as after some training."""
    path = training / "models" / f"{NETWORKS[name][0]}.py"
    module = ModuleType(path.stem)
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
    torch.manual_seed(3)
    made: nn.Module = vars(module)[name](num_classes=10, num_channels=3, dimensions=(32, 32), bias=True)
    for each in made.modules():
        if isinstance(each, nn.BatchNorm2d):
            nn.init.normal_(each.running_mean, std=0.1)
            nn.init.uniform_(each.running_var, 0.05, 0.2)
    return made.eval()


@pytest.mark.ai8x
@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_outputs(training, name):
    module, (_, weights, layers) = network(training, name), NETWORKS[name]
    model = maxexp.from_torch(module, (3, 32, 32), "cifar10")
    assert model.network.weights == weights and len(model.network.layers) == layers
    examples = inputs((3, 32, 32), 16)
    with torch.no_grad():
        theirs, ours = module(examples), model.module(examples)
    assert float(theirs.std()) > 1e-3 and torch.allclose(ours, theirs, atol=1e-4)
    assert all(isinstance(layer.numerics, ClampedNumerics) for layer in model.module.layers())
    assert model.cost().cycles > 0


@pytest.mark.ai8x
def test_the_weights_of_a_network_are_those_of_its_checkpoint(training, ai8x):
    """A checkpoint of ours for the maker's network, read by its module, is the network that was imported."""
    module = network(training, "ai85nascifarnet")
    model = maxexp.from_torch(module, (3, 32, 32), "cifar10")
    state = module.state_dict()
    for key, value in model.module.state_dict().items():
        if key.endswith("op.weight") or "running" in key:
            assert torch.equal(state[key].reshape(value.shape), value), key
