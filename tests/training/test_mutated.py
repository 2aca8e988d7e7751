"""Mutated checkpoints of interrupted trainings: a whole one is gone on from, any other is told in one line."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from maxexp.base.errors import CheckpointError
from maxexp.data.augmentation.config import AugmentationConfig
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.run_data import RunData
from maxexp.network.config import LayerConfig, NetworkConfig
from maxexp.network.graph import build_network
from maxexp.quantization.config import QuantizationConfig
from maxexp.tasks.classification import Classification
from maxexp.training.config import RecipeConfig, TrainerConfig
from maxexp.training.phases import RunFiles, Training, TrainingSettings
from maxexp.training.resume_files import read_resume_file
from tests.fuzz import SEED, fuzz, mutated

DIGITS = DatasetConfig("digits", DatasetSource.digits, 1, 8, 8, 10, validation_images=240, limit=64)
SHARE = 10
"""A training takes some tenths of a second."""


@pytest.fixture(scope="module")
def train(tmp_path_factory) -> Callable[..., None]:
    """Trains two epochs, from a checkpoint if there is one."""
    layers = {"fc": LayerConfig(op="linear", out_features=10, wide=True)}
    settings = TrainingSettings(
        Classification(),
        QuantizationConfig(),
        RecipeConfig(),
        TrainerConfig(max_epochs=2, progress=False, accelerator="cpu"),
        1,
        torch.device("cpu"),
    )
    data = RunData(DIGITS, AugmentationConfig(), 64, 1)
    network = build_network(NetworkConfig("small", 1.0, layers), DIGITS.shape)
    folder = tmp_path_factory.mktemp("trained")

    def run(resume=None) -> None:
        files = RunFiles(folder, lambda path: None, lambda phase, offset: None)
        Training(network, data, settings, files, None, resume).run()

    run.folder = folder
    return run


@pytest.fixture(scope="module")
def good(train) -> list[bytes]:
    train()
    return [path.read_bytes() for path in sorted(train.folder.glob("resume-*.ckpt"))]


def test_bytes(good, tmp_path):
    path = tmp_path / "resume-0.ckpt"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        read_resume_file(path)

    fuzz(
        "resume checkpoint, bytes", read, mutated(good, [b"PK\3\4", b"PK\1\2", b"R.", b"\x8a", b"maxexp_epoch"]), good
    )


def anything(draw: random.Random) -> Any:
    return draw.choice(
        [None, "text", -1, 2**70, 1e30, float("nan"), [], [1], {}, {"a": {}}, torch.zeros(3), torch.zeros(0)]
    )


def changed(contents: list[dict]) -> Iterator[dict]:
    """Endless variants of what a checkpoint holds, at any depth."""
    draw = random.Random(SEED)
    while True:
        yield _changed(draw, draw.choice(contents))


def _changed(draw: random.Random, content: Any) -> Any:
    keys = list(content) if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else []
    if not keys or draw.random() < 0.15:
        return anything(draw)
    key, copied = draw.choice(keys), content.copy()
    if draw.random() < 0.1:
        del copied[key]
    else:
        copied[key] = _changed(draw, copied[key])
    return copied


def test_content(good, train, tmp_path):
    path = tmp_path / "resume-0.ckpt"
    contents = []
    for data in good:
        path.write_bytes(data)
        contents.append(read_resume_file(path))

    def go_on(content: dict) -> None:
        torch.save(content, path)
        train(path)

    fuzz("resume checkpoint, content", go_on, changed(contents), contents, SHARE)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("maxexp_phase", "x", "resume-0.ckpt is damaged: it is of no phase; start a new run"),
        ("maxexp_epoch", None, "resume-0.ckpt is damaged"),
        (
            "state_dict",
            {},
            "the training cannot go on from resume-0.ckpt, it is damaged or of another network: ",
        ),
        ("optimizer_states", [], "the training cannot go on from resume-0.ckpt, it is damaged or of another network"),
        ("loops", {}, "the training cannot go on from resume-0.ckpt, it is damaged or of another network"),
        ("state_dict", {"a": torch.zeros(1).expand(10**9)}, "resume-0.ckpt is damaged"),
    ],
)
def test_damaged_content_is_one_line(good, train, tmp_path, key, value, message):
    path = tmp_path / "resume-0.ckpt"
    path.write_bytes(good[0])
    torch.save({**torch.load(path), key: value}, path)
    with pytest.raises(CheckpointError) as caught:
        train(path)
    assert message in str(caught.value) and "\n" not in str(caught.value)
