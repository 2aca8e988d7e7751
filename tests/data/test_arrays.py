"""Arrays of one's own: shapes, ranges, targets, and files that are refused in one line."""

import numpy as np
import pytest

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.dataset import load_split
from maxexp.data.run_data import RunData
from maxexp.data.sources.find import find_source
from maxexp.run.config import Config
from tests.conftest import composed

RNG = np.random.default_rng(0)


def config(path, cache, shape=(3, 4, 5), **keys) -> DatasetConfig:
    channels, height, width = shape
    keys = {"num_classes": None, **keys}
    return DatasetConfig(
        "own", DatasetSource.arrays, channels, height, width, root=str(path), cache_dir=str(cache), **keys
    )


@pytest.fixture
def save(tmp_path):
    def save(**arrays):
        path = tmp_path / "own.npz"
        np.savez(path, **arrays)
        return path

    return save


@pytest.fixture
def load(tmp_path, save):
    def load(split="train", shape=(3, 4, 5), keys=None, **arrays):
        return load_split(config(save(**arrays), tmp_path / "cache", shape, **(keys or {})), split)

    return load


def test_pixels_and_class_numbers_are_taken_as_they_are(load):
    x, y = RNG.integers(0, 256, (6, 3, 4, 5), dtype=np.uint8), np.arange(6) % 3
    found = load(x_train=x, y_train=y, keys={"num_classes": 3})
    assert np.array_equal(found.images.numpy(), x)
    assert found.labels.tolist() == y.tolist() and found.classes == ["0", "1", "2"]


def test_images_with_channels_last_are_turned(load):
    x = RNG.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
    found = load(x_train=x, y_train=np.arange(6), keys={"num_classes": 6})
    assert np.array_equal(found.images.numpy(), x.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("given", "shape"), [((6, 9, 128), (9, 128, 1)), ((6, 10), (10, 1, 1)), ((6, 2, 7, 1), (2, 7, 1))]
)
def test_signals_and_features_are_images_of_one_column(load, given, shape):
    found = load(x_train=RNG.normal(size=given), y_train=RNG.normal(size=6), shape=shape, keys={"num_outputs": 1})
    assert found.images.shape == (6, *shape)


def test_real_inputs_are_scaled_by_the_range_of_the_training_split(load):
    x_train, x_test = np.array([[-2.0, 0.0], [2.0, 1.0]]), np.array([[-9.0, 2.0], [0.0, 9.0]])
    arrays = {"x_train": x_train, "x_test": x_test, "y_train": np.zeros(2), "y_test": np.zeros(2)}
    train = load("train", (2, 1, 1), {"num_outputs": 1}, **arrays)
    test = load("test", (2, 1, 1), {"num_outputs": 1}, **arrays)
    assert train.images.flatten().tolist() == [0, 128, 255, 191]
    assert test.images.flatten().tolist() == [0, 255, 128, 255]
    fixed = load("train", (2, 1, 1), {"num_outputs": 1, "range": [-4.0, 4.0]}, **arrays)
    assert fixed.images.flatten().tolist() == [64, 128, 191, 159]


def test_real_targets_come_back_from_their_unit(load):
    y = RNG.normal(50, 20, (30, 2))
    found = load(x_train=RNG.normal(size=(30, 4)), y_train=y, shape=(4, 1, 1), keys={"num_outputs": 2})
    assert float(found.labels.abs().max()) < 1
    again = found.labels.numpy() * np.array(found.unit.scale) + np.array(found.unit.offset)
    assert again == pytest.approx(y, rel=1e-4, abs=1e-3)


def test_without_targets_the_network_learns_its_input(load):
    x = RNG.normal(size=(8, 3, 16))
    found = load(x_train=x, shape=(3, 16, 1), keys={"num_outputs": 48})
    assert found.labels.shape == (8, 48)
    again = found.labels.numpy() * np.array(found.unit.scale) + np.array(found.unit.offset)
    assert again == pytest.approx(x.reshape(8, -1), abs=1e-4)


def test_the_unit_survives_the_cache(tmp_path, save):
    path = save(x_train=RNG.normal(size=(8, 2)), y_train=RNG.normal(5, 2, (8, 1)))
    settings = config(path, tmp_path / "cache", (2, 1, 1), num_outputs=1)
    first, second = load_split(settings, "train"), load_split(settings, "train")
    assert first.unit == second.unit and first.digest == second.digest
    assert list((tmp_path / "cache").rglob("*-images.npy")), "nothing was kept"


def test_real_targets_are_divided_without_strata(tmp_path, save):
    path = save(x_train=RNG.normal(size=(40, 2)), y_train=RNG.normal(size=40))
    whole: Config = composed("+experiment=diabetes_qat")
    settings = config(path, tmp_path / "cache", (2, 1, 1), num_outputs=1)
    data = RunData(settings, whole.augmentation, 8, 1)
    assert (len(data.train), len(data.validation)) == (36, 4)
    data.check("train")


@pytest.mark.parametrize(
    ("arrays", "keys", "message"),
    [
        ({"y_train": np.zeros(3)}, {}, "has no array x_train: it holds y_train"),
        ({"x_train": np.zeros((3, 5, 1, 1))}, {"num_outputs": 5}, r"has the shape \(3, 5, 1, 1\); dataset.channels"),
        ({"x_train": np.full((3, 2), np.nan)}, {"num_outputs": 2}, "not finite"),
        ({"x_train": np.array([["a", "b"]])}, {"num_outputs": 2}, "must be an array of numbers"),
        ({"x_train": np.zeros((3, 2)), "y_train": np.zeros(2)}, {"num_outputs": 1}, "2 rows of 1 targets"),
        ({"x_train": np.zeros((3, 2)), "y_train": np.zeros((3, 2))}, {"num_outputs": 1}, "3 rows of 2 targets"),
        ({"x_train": np.zeros((3, 2)), "y_train": [0.5, 1, 2]}, {"num_classes": 3}, "one class number for each"),
        ({"x_train": np.zeros((3, 2)), "y_train": [0, 1, 7]}, {"num_classes": 3}, "label 7, outside of 0 to 2"),
    ],
)
def test_what_does_not_fit_is_refused(load, arrays, keys, message):
    keys = {"num_outputs": None, **keys} if "num_classes" in keys else {"num_outputs": 1, **keys}
    with pytest.raises(DataError, match=message) as caught:
        load(shape=(2, 1, 1), keys=keys, **arrays)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04" + bytes(40)])
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "own.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"own\.npz is not a \.npz file"):
        load_split(config(path, tmp_path / "cache", num_outputs=1), "train")


def test_arrays_of_other_names_are_told(tmp_path, save):
    path = save(x_train=np.zeros((2, 2)), x_val=np.zeros((2, 2)))
    source = find_source(config(path, tmp_path, (2, 1, 1), num_outputs=2))
    assert source.unused() == [f"{path} also holds x_val, which is not read"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no .*/own\.npz; set dataset\.root=FILE\.npz"):
        load_split(config(tmp_path, tmp_path / "cache", num_outputs=1), "train")


def test_diabetes_is_the_set_of_scikit_learn(tmp_path):
    from sklearn.datasets import load_diabetes

    diabetes = composed("+experiment=diabetes_qat", f"dataset.cache_dir={tmp_path}").dataset
    train, test = load_split(diabetes, "train"), load_split(diabetes, "test")
    assert len(train) + len(test) == 442 and train.images.shape[1:] == (10, 1, 1)
    targets = [part.labels.numpy() * part.unit.scale[0] + part.unit.offset[0] for part in (train, test)]
    assert sorted(np.concatenate(targets).ravel()) == pytest.approx(sorted(load_diabetes().target), abs=1e-3)
