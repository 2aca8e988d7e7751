"""Training itself, on a small task that a network can learn in seconds."""

import copy

import pytest
import torch

from maxexp.base.errors import TrainingError
from maxexp.data.augmentation.config import AugmentationConfig
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.run_data import RunData
from maxexp.network.config import BatchNorm, LayerConfig, NetworkConfig, Pool
from maxexp.network.graph import Network, build_network
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.quantization.files.checkpoint import Kind, read_checkpoint
from maxexp.quantization.simulate.fake import ClampedNumerics, QuantizedNumerics
from maxexp.tasks.classification import Classification
from maxexp.training.config import Precision, RecipeConfig, TrainerConfig
from maxexp.training.learner import Learner
from maxexp.training.phases import RunFiles, Trained, Training, TrainingSettings

DIGITS = DatasetConfig("digits", DatasetSource.digits, 1, 8, 8, 10, validation_images=240)


def network(dropout: float = 0.0) -> Network:
    layers = {
        "conv1": LayerConfig(out_channels=8, batchnorm=BatchNorm.affine),
        "conv2": LayerConfig(out_channels=16, batchnorm=BatchNorm.affine, pool=Pool.max, dropout=dropout),
        "fc": LayerConfig(op="linear", out_features=10, wide=True),
    }
    return build_network(NetworkConfig("small", 1.0, layers), DIGITS.shape)


@pytest.fixture
def train(tmp_path):
    """Trains and returns the result with what was stored on the way."""

    def run(
        epochs: int,
        seed: int = 1,
        dropout: float = 0.0,
        start=None,
        recipe=None,
        resume=None,
        device="cpu",
        **quantization,
    ) -> tuple[Trained, list]:
        settings = TrainingSettings(
            Classification(),
            QuantizationConfig(**quantization),
            recipe or RecipeConfig(),
            TrainerConfig(max_epochs=epochs, progress=False, accelerator="cpu", precision=Precision.float32),
            seed,
            torch.device(device),
        )
        kept = []
        files = RunFiles(tmp_path, lambda path: kept.append(path.name), lambda phase, offset: None)
        data = RunData(DIGITS, AugmentationConfig(), 128, seed)
        return Training(network(dropout), data, settings, files, start, resume).run(), kept

    return run


def weights(trained: Trained) -> torch.Tensor:
    return torch.cat([p.flatten() for p in trained.network.state_dict().values()])


def test_weights_that_are_no_numbers_behind_the_last_step_end_the_training(train, monkeypatch):
    """The loss of the last step is finite still, and the accuracy of the broken network that of guessing."""

    def broken(learner) -> None:
        learner.network.layers()[0].weight.data[0] = float("nan")

    monkeypatch.setattr(Learner, "on_validation_start", broken)
    with pytest.raises(TrainingError, match="diverged in epoch 1, its validation loss is nan; lower recipe.learn"):
        train(2)


def test_both_phases_learn_and_the_better_epoch_is_kept(train, tmp_path):
    trained, kept = train(8)
    assert trained.value > 0.9
    assert trained.epoch >= 6  # the quantization-aware epochs of eight
    assert all(isinstance(layer.numerics, QuantizedNumerics) for layer in trained.network.layers())
    assert all(layer.bn is None for layer in trained.network.layers())
    assert kept.count("float_best.pth.tar") == kept.count("qat_best.pth.tar") == 1
    assert {"resume-0.ckpt", "resume-1.ckpt"} <= set(kept)
    best = read_checkpoint(tmp_path / "qat_best.pth.tar")
    assert (best.kind, best.epoch) == (Kind.quantized, trained.epoch)
    assert best.extras["best_top1"] == pytest.approx(100 * trained.value)


def test_the_seed_decides_everything(train):
    first, again, other = train(3)[0], train(3)[0], train(3, seed=2)[0]
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))


def test_dropout_follows_the_seed_too(train):
    torch.manual_seed(1)
    first = train(2, dropout=0.5)[0]
    torch.manual_seed(99)
    assert torch.equal(weights(first), weights(train(2, dropout=0.5)[0]))


def test_float_training_leaves_batchnorm_in_place(train):
    trained, kept = train(2, method=Method.float)
    assert trained.network.get_submodule("conv1").bn is not None
    assert "qat_best.pth.tar" not in kept


def test_the_makers_way_clamps_from_the_first_epoch(train):
    trained, _ = train(3, method=Method.float, clamp_activations=True)
    assert all(isinstance(layer.numerics, ClampedNumerics) for layer in trained.network.layers())
    images = torch.randn(16, 1, 8, 8).clamp(-1, 127 / 128)
    assert trained.network.get_submodule("conv1")(images).max() <= 127 / 128


def test_a_trained_network_is_a_start(train):
    first, _ = train(6)
    accuracy = first.value
    again, kept = train(1, start=first.network)
    assert again.value > accuracy - 0.03
    assert "float_best.pth.tar" not in kept


def test_a_trained_network_is_fine_tuned_from_the_first_epoch(train):
    """At the rate of an untrained one it would be trained anew."""
    first, _ = train(6, method=Method.float)
    again, kept = train(1, start=first.network)
    assert (again.qat_epoch, "float_best.pth.tar" in kept) == (0, False)
    assert again.value > first.value - 0.03
    _, kept = train(2, start=train(2, method=Method.float)[0].network, start_epoch=1)
    assert "float_best.pth.tar" in kept


def test_the_network_ends_where_the_images_are(train):
    """Lightning moves it to the CPU, which no evaluation on a GPU survived; "meta" stands for the GPU."""
    trained, _ = train(1, method=Method.float, device="meta")
    assert {p.device.type for p in trained.network.parameters()} == {"meta"}


def test_fine_tuning_has_an_optimizer_and_a_rate_of_its_own(train, tmp_path, compose_config):
    """Each epoch's checkpoint holds its optimizer's state: a momentum with sgd, two moments with adamw."""
    recipe = compose_config("recipe=sgd").recipe

    def optimizer(epochs: int, **quantization) -> tuple[set[str], float]:
        train(epochs, recipe=recipe, **quantization)
        last = max(tmp_path.glob("resume-*.ckpt"), key=lambda path: path.stat().st_mtime_ns)
        states = torch.load(last, weights_only=False)["optimizer_states"][0]
        return set(states["state"][0]), states["param_groups"][0]["max_lr"]

    assert optimizer(2, method=Method.float) == ({"momentum_buffer"}, recipe.learning_rate)
    moments, rate = optimizer(2, start_epoch=1)
    assert {"exp_avg", "exp_avg_sq"} < moments
    assert rate == recipe.qat_learning_rate


def test_fine_tuning_begins_where_quantization_after_training_ends(train):
    """At 2 bits, scales by the largest weight leave nothing to begin with."""
    trained = train(6, method=Method.float)[0].network
    two_bits = {"weight_bits": 2, "start_epoch": 0, "shift_quantile": 1.0}
    plain = {"equalize": False, "search_scales": False, "correct_biases": False}
    recipe = RecipeConfig(qat_learning_rate=1e-6)  # as good as none: what it begins with is seen
    searched, _ = train(1, start=copy.deepcopy(trained), recipe=recipe, **two_bits)
    largest, _ = train(1, start=copy.deepcopy(trained), recipe=recipe, **two_bits, **plain)
    assert searched.value > largest.value + 0.1


def test_a_resumed_quantized_phase_keeps_its_scales(train, tmp_path):
    whole, _ = train(4, start_epoch=2, weight_bits=2)
    quantiles = [layer.numerics.quantile for layer in whole.network.layers()]
    assert min(quantiles) < 1
    resumed, _ = train(4, start_epoch=2, weight_bits=2, resume=tmp_path / "resume-0.ckpt")  # of epoch 3 of 4
    assert [layer.numerics.quantile for layer in resumed.network.layers()] == quantiles
    assert torch.equal(weights(resumed), weights(whole))


def test_a_resumed_quantized_phase_keeps_the_bits_of_biases_of_a_foreign_start(train, tmp_path):
    start = train(2, start_epoch=1)[0].network
    for layer in start.layers():
        layer.numerics.bias_bits = 4  # ours have 8
    whole, _ = train(3, start=copy.deepcopy(start), layer_bits={"conv2": 4})
    bias_bits = [layer.numerics.bias_bits for layer in whole.network.layers()]
    assert bias_bits == [4, 8, 4]  # a layer with other bits is quantized anew
    state = {"start": copy.deepcopy(start), "layer_bits": {"conv2": 4}, "resume": tmp_path / "resume-1.ckpt"}
    resumed, _ = train(3, **state)
    assert [layer.numerics.bias_bits for layer in resumed.network.layers()] == bias_bits
    assert torch.equal(weights(resumed), weights(whole))


def test_only_layers_whose_bits_change_are_quantized_anew(train):
    first, _ = train(8)
    before = {layer.spec.name: layer.numerics for layer in first.network.layers()}
    again, _ = train(1, start=first.network, layer_bits={"conv2": 2})
    after = {layer.spec.name: layer.numerics for layer in again.network.layers()}
    assert after["conv1"] is before["conv1"] and after["fc"] is before["fc"]
    assert (after["conv2"].bits, before["conv2"].bits) == (2, 8)
    assert again.value > 0.8
