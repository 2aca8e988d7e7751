"""The data of a run: what an epoch is made of, and when which split is read."""

import dataclasses
import logging

import pytest
import pytorch_lightning as lightning
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from maxexp.base.errors import ConfigError, DataError
from maxexp.data import run_data
from maxexp.data.augmentation.augment import BatchAugmentation
from maxexp.data.augmentation.config import AugmentationConfig, InputMapping, NormalizeConfig
from maxexp.data.augmentation.entries.color_jitter import ColorJitter
from maxexp.data.augmentation.entries.gaussian_noise import GaussianNoise
from maxexp.data.augmentation.entries.horizontal_flip import HorizontalFlip
from maxexp.data.augmentation.entries.random_crop import RandomCrop
from maxexp.data.augmentation.pixels import evaluation_input
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.dataset import ImageSet, load_split
from maxexp.data.loader import EvaluationBatches, TrainingBatches
from maxexp.data.module import ImageDataModule
from maxexp.data.run_data import RunData

AUGMENTED = AugmentationConfig(
    random_crop=RandomCrop(1),
    horizontal_flip=HorizontalFlip(),
    color_jitter=ColorJitter(),
    gaussian_noise=GaussianNoise(0.05),
)


def numbered(count, channels=1) -> ImageSet:
    """Images whose label and colour are their number."""
    labels = torch.arange(count)
    images = labels.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, channels, 4, 4).contiguous()
    return ImageSet(images, labels, [str(label) for label in range(count)], "")


def training(count, batch_size, config=AUGMENTED, seed=0, epoch=0) -> TrainingBatches:
    return TrainingBatches(numbered(count), batch_size, BatchAugmentation(config), seed, lambda: epoch)


def same(first, second) -> bool:
    pairs = list(zip(first, second, strict=True))
    return all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in pairs)


@pytest.mark.parametrize("count, size, batches, last", [(10, 4, 2, 4), (8, 4, 2, 4), (3, 4, 1, 3), (4, 4, 1, 4)])
def test_an_incomplete_batch_is_left_out_unless_it_is_all(count, size, batches, last):
    loader = training(count, size)
    drawn = list(loader)
    assert len(loader) == len(drawn) == batches
    assert len(drawn[-1][1]) == len(drawn[-1][0]) == last
    labels = torch.cat([labels for _, labels in drawn])
    assert len(labels.unique()) == len(labels)


@given(st.integers(1, 300), st.integers(1, 200), st.integers(0, 5))
def test_images_that_fill_no_batch_are_spread_over_all(count, size, epoch):
    loader = TrainingBatches(numbered(count), size, BatchAugmentation(AugmentationConfig()), 3, lambda: epoch, True)
    sizes = [len(labels) for _, labels in loader]
    assert len(loader) == len(sizes) == -(-count // size)
    assert max(sizes) <= size and max(sizes) - min(sizes) <= 1
    assert sorted(label for _, labels in loader for label in labels.tolist()) == list(range(count))


def test_labels_stay_with_their_images():
    for inputs, labels in training(100, 10, AugmentationConfig()):
        assert torch.equal(inputs[:, 0, 0, 0] * 128 + 128, labels.float())


def test_an_epoch_is_a_function_of_seed_and_epoch():
    reference = list(training(64, 8, seed=1, epoch=2))
    assert same(reference, training(64, 8, seed=1, epoch=2))
    for seed, epoch in ((1, 3), (2, 2), (2, 1), (12, 0)):
        other = list(training(64, 8, seed=seed, epoch=epoch))
        assert not torch.equal(other[0][1], reference[0][1])
        assert not torch.equal(other[0][0], reference[0][0])


def test_epochs_differ_in_augmentation_too():
    same_image = dataclasses.replace(numbered(64), images=torch.full((64, 1, 4, 4), 99, dtype=torch.uint8))
    first, second = (
        next(iter(TrainingBatches(same_image, 64, BatchAugmentation(AUGMENTED), 0, lambda e=epoch: e)))[0]
        for epoch in (0, 1)
    )
    assert not torch.equal(first, second)


def test_an_abandoned_iteration_leaves_no_trace():
    loader = training(64, 8)
    next(iter(loader))
    torch.manual_seed(5)
    assert same(list(loader), training(64, 8))


def test_evaluation_goes_through_all_images_in_order():
    loader = EvaluationBatches(numbered(25, channels=3), InputMapping.p128, batch_size=10)
    drawn = list(loader)
    assert len(loader) == 3 and [len(labels) for _, labels in drawn] == [10, 10, 5]
    assert torch.cat([labels for _, labels in drawn]).tolist() == list(range(25))
    assert drawn[0][0].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(torch.cat([i for i, _ in drawn])[:, 2, 0, 0] * 128 + 128, torch.arange(25.0))


# The data of a run


@pytest.fixture
def loads(monkeypatch) -> list[str]:
    """The splits that have been loaded."""
    calls = []

    def counted(config, split):
        calls.append(split)
        return load_split(config, split)

    monkeypatch.setattr(run_data, "load_split", counted)
    return calls


def make(digits, augmentation=AUGMENTED, batch_size=100, seed=0) -> RunData:
    return RunData(digits, augmentation, batch_size, seed)


def test_the_test_split_is_read_on_first_use_and_only_then(digits, loads):
    data = make(digits)
    assert data.digests() == {} and loads == []
    list(data.training_batches(lambda: 0)), list(data.validation_batches()), data.calibration_inputs(3)
    assert loads == ["train"]
    assert set(data.digests()) == {"train", "validation"}
    assert len(data.test) == 359 and loads == ["train", "test"]
    assert data.digests()["test"] == load_split(digits, "test").digest


def test_training_and_validation_divide_the_training_split(digits):
    data, whole = make(digits), load_split(digits, "train")
    assert (len(data.train), len(data.validation)) == (1198, 240)
    joined = torch.cat((data.train.images, data.validation.images)).flatten(1)
    assert sorted(joined.tolist()) == sorted(whole.images.flatten(1).tolist())
    per_class = torch.bincount(data.validation.labels)
    assert per_class.min() >= 23 and per_class.max() <= 25
    other = make(dataclasses.replace(digits, split_seed=1))
    assert other.digests() == {} and other.validation.digest != data.validation.digest


def test_a_limit_leaves_the_validation_images_as_they_are(digits):
    data, few = make(digits), make(dataclasses.replace(digits, limit=100))
    assert len(few.train) == 100 and set(torch.bincount(few.train.labels).tolist()) <= {9, 10, 11}
    assert few.validation.digest == data.validation.digest
    assert few.train.digest != data.train.digest
    assert make(dataclasses.replace(digits, limit=5000)).train.digest == data.train.digest


def test_too_many_validation_images(digits):
    data = make(dataclasses.replace(digits, validation_images=1438))
    with pytest.raises(ConfigError, match=r"dataset\.validation_images=1438 .* less than the 1438"):
        data.training_batches(lambda: 0)


def own_images(folder, train, test) -> RunData:
    """The data of a run on one's own 8x8 pictures; class -> number of them, for each split."""
    for split, counts in {"train": train, "test": test}.items():
        for name, count in counts.items():
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                Image.new("L", (8, 8), number).save(folder / split / name / f"{number}.png")
    return make(DatasetConfig("pictures", DatasetSource.images, 1, 8, 8, len(train), root=str(folder)))


def test_validation_images_that_leave_nothing_to_train_on_of_a_class(tmp_path):
    data = own_images(tmp_path, {"a": 9, "b": 1}, {})
    data._dataset = dataclasses.replace(data._dataset, validation_images=9)
    with pytest.raises(ConfigError, match=r"validation_images=9 leaves nothing to train on of b: use less") as error:
        data.check("train")
    assert "\n" not in str(error.value)


def test_classes_that_a_part_lacks_are_warned_of_before_the_training(tmp_path, caplog):
    data = own_images(tmp_path, {"a": 19, "b": 19, "c": 1}, {"a": 1})
    data.check("train", "test")
    (warning,) = caplog.messages
    assert warning == "pictures: no validation images of c; no test images of b, c; add images of these classes"


def test_complete_classes_are_not_warned_of(tmp_path, caplog):
    own_images(tmp_path, {"a": 20, "b": 20}, {"a": 1, "b": 1}).check("train", "test")
    assert caplog.messages == []


def labels_of_an_epoch(data: RunData) -> list[int]:
    return sorted(label for _, labels in data.training_batches(lambda: 0) for label in labels.tolist())


def test_no_image_of_ones_own_sits_out_an_epoch_and_few_steps_are_warned_of(tmp_path, caplog):
    data = own_images(tmp_path, {"a": 100, "b": 50}, {"a": 1, "b": 1})
    assert len(data.train) == 135
    data._batch_size = 128
    assert labels_of_an_epoch(data) == [0] * 90 + [1] * 45
    assert caplog.messages == [
        "pictures: 135 training images are 2 steps in an epoch with trainer.batch_size=128; smaller batches, of 13 "
        "images say, mostly learn more"
    ]


def test_no_image_of_a_limited_set_sits_out_an_epoch(digits):
    assert len(labels_of_an_epoch(make(dataclasses.replace(digits, limit=135), batch_size=128))) == 135


def test_images_of_a_published_set_that_sit_out_an_epoch_are_told(digits, caplog):
    with caplog.at_level(logging.INFO, "maxexp"):
        assert len(labels_of_an_epoch(make(digits, batch_size=300))) == 900
    assert caplog.messages == ["298 of 1198 training images sit out each epoch, others in every one"]


def test_a_broken_test_image_of_ones_own_is_noticed_by_the_check(tmp_path):
    data = own_images(tmp_path, {"a": 5, "b": 5}, {"a": 2, "b": 2})
    (tmp_path / "test" / "b" / "1.png").write_bytes(b"cut short")
    data.check("train")
    with pytest.raises(DataError, match="test/b/1.png is not a readable image .*: replace or remove it"):
        data.check("train", "test")


def test_the_check_decodes_nothing_that_is_published(digits, loads):
    make(digits).check("train", "test")
    assert loads == []


def test_batches_come_again_after_as_many_epochs_as_there_are_views(digits):
    data = RunData(digits, AUGMENTED, 300, 0, views=2)
    first, second, third = (data.training_batches(lambda epoch=epoch: epoch) for epoch in (3, 4, 5))
    assert same(first, third) and not torch.equal(next(iter(first))[0], next(iter(second))[0])


def test_calibration_inputs_are_unaugmented_training_images(digits):
    data = make(digits)
    inputs = data.calibration_inputs(50)
    assert torch.equal(inputs, make(digits).calibration_inputs(50))
    assert torch.equal(inputs[:20], data.calibration_inputs(20))
    assert not torch.equal(inputs, make(digits, seed=1).calibration_inputs(50))
    known = {tuple(image) for image in evaluation_input(data.train.images, data.mapping).flatten(1).tolist()}
    assert {tuple(image) for image in inputs.flatten(1).tolist()} <= known
    assert len(data.calibration_inputs(10**6)) == len(data.train)


@pytest.mark.parametrize("normalize", [None, NormalizeConfig(InputMapping.ai8x)])
def test_the_mapping_holds_in_training_and_evaluation(digits, normalize):
    data = make(digits, AugmentationConfig(normalize=normalize), batch_size=1198)
    inputs = next(iter(data.training_batches(lambda: 0)))[0]
    expected = evaluation_input(data.train.images, data.mapping)
    assert torch.equal(inputs.flatten(1).sum(0), expected.flatten(1).sum(0))
    validation = torch.cat([inputs for inputs, _ in data.validation_batches()])
    assert torch.equal(validation, evaluation_input(data.validation.images, data.mapping))


class Recorder(lightning.LightningModule):
    """Learns something, and notes the labels of every batch of every epoch."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(64, 10)
        self.seen = []

    def training_step(self, batch, index):
        self.seen.append((self.current_epoch, batch[1].tolist()))
        return torch.nn.functional.cross_entropy(self.layer(batch[0].flatten(1)), batch[1])

    def validation_step(self, batch, index):
        self.layer(batch[0].flatten(1))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(digits, tmp_path, epochs, checkpoint=None, offset=0):
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.manual_seed(0)
    data, recorder = ImageDataModule(make(digits, batch_size=300), offset), Recorder()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(recorder, datamodule=data, ckpt_path=checkpoint)
    trainer.save_checkpoint(tmp_path / f"{epochs}.ckpt")
    return recorder


def test_a_resumed_run_repeats_what_an_uninterrupted_one_does(digits, tmp_path):
    whole = fit(digits, tmp_path, 3)
    fit(digits, tmp_path, 1)
    rest = fit(digits, tmp_path, 3, checkpoint=tmp_path / "1.ckpt")
    assert len(whole.seen) == 9
    assert rest.seen == whole.seen[3:]
    assert torch.equal(rest.layer.weight, whole.layer.weight)
    for epoch in range(3):
        expected = training_labels(digits, epoch)
        assert [labels for number, labels in whole.seen if number == epoch] == expected
    shifted = fit(digits, tmp_path, 1, offset=2)
    assert [labels for _, labels in shifted.seen] == training_labels(digits, 2)


def training_labels(digits, epoch):
    return [labels.tolist() for _, labels in make(digits, batch_size=300).training_batches(lambda: epoch)]
