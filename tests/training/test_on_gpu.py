"""One step of training and an evaluation on a GPU, as far as that shows without one: nothing is left on the CPU."""

import copy

import pytest
import torch

from maxexp.data import loader
from maxexp.data.augmentation.config import AugmentationConfig
from maxexp.data.augmentation.entries.color_jitter import ColorJitter
from maxexp.data.augmentation.entries.cutout import Cutout
from maxexp.data.augmentation.entries.gaussian_noise import GaussianNoise
from maxexp.data.augmentation.entries.horizontal_flip import HorizontalFlip
from maxexp.data.augmentation.entries.random_crop import RandomCrop
from maxexp.data.augmentation.entries.rotation import Rotation
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.run_data import RunData
from maxexp.data.store.arrays import TargetUnit
from maxexp.network.config import BatchNorm, LayerConfig, NetworkConfig, Pool
from maxexp.network.graph import build_network
from maxexp.network.module import NetworkModule
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.methods.ptq import quantize_after_training
from maxexp.tasks.classification import Classification
from maxexp.training.config import DistillationConfig, RecipeConfig
from maxexp.training.distillation import Distillation, Teacher
from maxexp.training.evaluation import Evaluation, evaluate_integer, evaluate_module
from maxexp.training.learner import Learner
from tests.pretend_gpu import DEVICE, PretendGpu

DIGITS = DatasetConfig("digits", DatasetSource.digits, 1, 8, 8, 10, validation_images=240)
AUGMENTATION = AugmentationConfig(
    RandomCrop(1),
    HorizontalFlip(0.5),
    Rotation(10.0),
    ColorJitter(0.2, 0.2, 0.2, 0.05),
    GaussianNoise(0.05),
    Cutout(2),
)
NETWORK = NetworkConfig(
    "small",
    1.0,
    {
        "conv1": LayerConfig(out_channels=8, batchnorm=BatchNorm.affine),
        "conv2": LayerConfig(out_channels=8, batchnorm=BatchNorm.affine, pool=Pool.avg),
        "fc": LayerConfig(op="linear", out_features=10, wide=True),
    },
)


@pytest.fixture
def gpu(monkeypatch):
    """The pretended GPU; random numbers are drawn by the CPU, for it has no generator of its own."""
    real = loader.seeded_generator
    monkeypatch.setattr(loader, "seeded_generator", lambda *parts, device="cpu": real(*parts))
    with PretendGpu():
        yield DEVICE


def module() -> NetworkModule:
    torch.manual_seed(0)
    return NetworkModule(build_network(NETWORK, DIGITS.shape))


def run_data(device: torch.device | str) -> RunData:
    return RunData(DIGITS, AUGMENTATION, 64, 1, device)


def train_a_step(device: torch.device | str, quantized: bool) -> tuple[Learner, float]:
    """A learner after one step with a teacher and averaged weights, and the loss of that step."""
    data, network, teacher = run_data(device), module().to(device), module().to(device)
    if quantized:
        quantize_after_training(network, data.calibration_inputs(64), QuantizationConfig(Method.qat))
    distillation = DistillationConfig("unused", NETWORK, mirror=True)
    recipe = RecipeConfig(weight_averaging=0.9, label_smoothing=0.1)
    teachers = Distillation(distillation, [Teacher(teacher, distillation, {})])
    learner = Learner(network.train(), Classification(), TargetUnit(), recipe, "float", 0, 1, teachers)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for batch in list(data.training_batches(lambda: 0))[:2]:
        loss = learner.training_step(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        learner.on_train_batch_end()
    return learner, float(loss.detach())


@pytest.mark.parametrize("quantized", [False, True])
def test_a_step_of_training(quantized, request):
    here, loss = train_a_step("cpu", quantized)
    there, found = train_a_step(request.getfixturevalue("gpu"), quantized)
    assert found == pytest.approx(loss, rel=1e-4)
    assert {value.device for value in there.result.state_dict().values()} == {DEVICE}
    torch.testing.assert_close(there.result.fc.weight.cpu(), here.result.fc.weight)


def evaluated(network: NetworkModule, data: RunData) -> list[Evaluation]:
    integers = evaluate_integer(to_integer(network), Classification(), data.test, data.mapping)
    return [evaluate_module(network, Classification(), data.test, data.mapping), integers]


def test_evaluation(request):
    here, data = module(), run_data("cpu")
    quantize_after_training(here, data.calibration_inputs(64), QuantizationConfig(Method.ptq))
    wanted = evaluated(here, data)
    device = request.getfixturevalue("gpu")
    found = evaluated(copy.deepcopy(here).to(device), run_data(device))
    for a, b in zip(found, wanted, strict=True):
        assert a.decisions.device.type == "cpu"
        assert torch.equal(a.decisions, b.decisions) and a.scores == b.scores
