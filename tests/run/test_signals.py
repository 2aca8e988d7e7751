"""Networks of signals as whole runs: from arrays to the emulated board, and the cost of the maker's."""

import json

import numpy as np
import pytest

CONV = "op:conv1d,batchnorm:affine,out_channels"
LAYERS = [
    *(f"~model.layers.{name}" for name in ("conv1", "conv2", "fc")),
    f"+model.layers.wave={{{CONV}:12,kernel_size:5}}",
    f"+model.layers.wider={{{CONV}:16,dilation:3,padding:2,pool:max}}",
    f"+model.layers.longer={{{CONV}:16,kernel_size:8,padding:1,pool:avg,pool_size:3,pool_stride:2}}",
    "+model.layers.short={op:passthrough,pool:max}",
    "+model.layers.score={op:linear,out_features:3,activation:none,wide:true}",
]


@pytest.fixture(scope="module")
def waves(tmp_path_factory) -> str:
    """Three kinds of waves, told apart by their frequency, in two channels of 64 samples."""
    draw = np.random.default_rng(0)
    content = {}
    for split, count in (("train", 300), ("test", 90)):
        labels = np.arange(count) % 3
        phases = draw.uniform(0, 2 * np.pi, (count, 2, 1))
        time = np.linspace(0, 2 * np.pi, 64)
        x = np.sin((3 + 4 * labels)[:, None, None] * time + phases) + draw.normal(0, 0.3, (count, 2, 64))
        content |= {f"x_{split}": x.astype(np.float32), f"y_{split}": labels}
    path = tmp_path_factory.mktemp("waves") / "waves.npz"
    np.savez(path, **content)
    return str(path)


@pytest.fixture
def overrides(waves) -> list[str]:
    shape = ["dataset.channels=2", "dataset.height=64", "dataset.num_classes=3", f"dataset.root={waves}"]
    return ["dataset=arrays", *shape, *LAYERS, "trainer.max_epochs=8", "trainer.batch_size=32"]


def test_waves_are_learned_and_told_apart_in_integers(run_here, overrides):
    run = run_here(*overrides)
    assert run.data.metrics["test/accuracy_integer"] > 0.9
    assert run.data.metrics["hw/cycles"] > 0


def test_waves_quantized_after_training_in_few_bits(run_here, overrides):
    run = run_here(*overrides, "quantization=ptq", "quantization.layer_bits={longer:4}")
    assert run.data.metrics["test/accuracy_integer"] > 0.9


@pytest.mark.ai8x
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_waves_on_the_emulated_board(run_here, overrides, checkout, compiler, store):
    board = ["synthesis=ai8x", f"synthesis.path={checkout}", "board=emulated", "board.images=40"]
    run = run_here(*overrides, *board)
    report = json.loads(store.artifact(run, "board/known_answer.json").read_text())
    assert report["verdict"] == "PASS" and report["cycles"] == run.data.metrics["hw/cycles"]
    assert (run.data.metrics["board/images"], run.data.metrics["board/disagreements"]) == (40, 0)


KEYWORDS = ("dataset.channels=128", "dataset.height=128", "dataset.num_classes=21")
VIBRATION = ("task=regression", "dataset.channels=256", "dataset.height=3", "dataset.num_outputs=768")


@pytest.mark.parametrize(
    ("name", "given", "cycles"), [("kws20_v3", KEYWORDS, 71_782), ("autoencoder", VIBRATION, 3_415)]
)
def test_what_the_makers_networks_cost_needs_no_data(run_here, name, given, cycles):
    run = run_here(f"model={name}", "dataset=arrays", *given, "stages=[synthesize]")
    assert run.data.metrics["hw/cycles"] == cycles
