"""The user's own pictures in class folders: all layouts, what is missing or broken, what stays when more come."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.dataset import check_files, load_split
from tests.data.test_sources import one_line


@pytest.fixture
def pictures() -> DatasetConfig:
    """A user's own set: 3 classes, 6x5 RGB."""
    return DatasetConfig("pictures", DatasetSource.images, 3, 6, 5, 3, 4, root=".")


def write_class_folders(root, counts, size=(5, 6)):
    """Class name -> number of PNG files, each of its own colour."""
    for number, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            Image.new("RGB", size, (number, index, 7)).save(root / name / f"{index:03}.png")


def test_divided_class_folders(pictures, tmp_path):
    write_class_folders(tmp_path / "train", {"b": 3, "a": 2, "c": 1})
    write_class_folders(tmp_path / "test", {"a": 1, "c": 1})
    write_class_folders(tmp_path / "train", {".hidden": 2})
    (tmp_path / "train" / "a" / ".DS_Store.png").write_text("no image")
    (tmp_path / "train" / "a" / "notes.txt").write_text("no image")
    train, test = load_split(pictures, "train"), load_split(pictures, "test")
    assert train.classes == test.classes == ["a", "b", "c"]
    assert train.labels.tolist() == [0, 0, 1, 1, 1, 2]
    assert test.labels.tolist() == [0, 2]
    assert train.images[:, :, 0, 0].tolist()[2:5] == [[0, 0, 7], [0, 1, 7], [0, 2, 7]]


def colours(pictures, split) -> set[tuple[int, ...]]:
    """The images of a split, by the colour that each has for its own."""
    return {tuple(image[:, 0, 0].tolist()) for image in load_split(pictures, split).images}


def test_undivided_class_folders_keep_about_a_fifth_for_the_test(pictures, tmp_path):
    write_class_folders(tmp_path / "pictures", {"a": 200, "b": 100, "c": 50})
    train, test = colours(pictures, "train"), colours(pictures, "test")
    assert len(train) + len(test) == len(train | test) == 350
    assert 50 <= len(test) <= 90
    assert colours(dataclasses.replace(pictures, split_seed=5), "test") == test


def test_pictures_are_resized_and_converted(pictures, tmp_path):
    write_class_folders(tmp_path / "train", {"a": 1, "b": 1, "c": 1}, size=(40, 20))
    colour = load_split(pictures, "train")
    assert colour.images.shape == (3, 3, 6, 5)
    assert colour.images[2, :, 3, 3].tolist() == [2, 0, 7]
    Image.new("RGB", (9, 9), (200, 100, 50)).save(tmp_path / "train" / "a" / "000.png")
    gray = load_split(dataclasses.replace(pictures, channels=1), "train")
    assert gray.images.shape == (3, 1, 6, 5)
    assert gray.images[0].unique().tolist() == [round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)]


def test_unreadable_picture_is_named(pictures, tmp_path):
    write_class_folders(tmp_path / "train", {"a": 2, "b": 1, "c": 1})
    bad = tmp_path / "train" / "b" / "000.png"
    bad.write_bytes(bad.read_bytes()[:40])
    with pytest.raises(DataError, match="train/b/000.png is not a readable image") as error:
        load_split(pictures, "train")
    one_line(error)
    bad.unlink()
    bad.symlink_to("nowhere.png")
    with pytest.raises(DataError, match="train/b/000.png cannot be read"):
        load_split(pictures, "train")


def test_picture_of_16_bits_is_refused(pictures, tmp_path):
    write_class_folders(tmp_path / "train", {"a": 1, "b": 1, "c": 1})
    deep = Image.fromarray(np.full((6, 5), 40_000, np.uint16))
    deep.save(tmp_path / "train" / "a" / "deep.png")
    with pytest.raises(DataError, match=r"a/deep\.png has more than 8 bits"):
        load_split(pictures, "train")


@pytest.mark.parametrize(
    "train, test, split, says",
    [
        ({"a": 1, "b": 1}, {"a": 1}, "train", "2 classes where dataset.num_classes=3"),
        ({"a": 1, "b": 1, "c": 1}, {"d": 1}, "test", "d is a class without training images"),
        ({"a": 1, "b": 1, "c": 1}, {}, "test", "has no folder test"),
    ],
)
def test_class_folders_that_disagree(pictures, tmp_path, train, test, split, says):
    write_class_folders(tmp_path / "train", train)
    write_class_folders(tmp_path / "test", test)
    for notice in (check_files, load_split):  # the first before a training, the second when it ends
        with pytest.raises(DataError, match=says):
            notice(pictures, split)


def test_whatever_comes_or_goes_no_other_picture_changes_sides(pictures, tmp_path):
    """Networks trained before would else be tested with what they were trained on."""
    write_class_folders(tmp_path / "pictures", {"a": 20, "b": 20, "c": 20})
    train, test = colours(pictures, "train"), colours(pictures, "test")
    write_class_folders(tmp_path / "pictures", {"a": 90, "b": 25, "c": 21})
    assert train < colours(pictures, "train") and test < colours(pictures, "test")
    for index in range(20, 90):
        (tmp_path / "pictures" / "a" / f"{index:03}.png").unlink()
    (tmp_path / "pictures" / "b" / "000.png").unlink()
    assert train - {(1, 0, 7)} <= colours(pictures, "train") and test - {(1, 0, 7)} <= colours(pictures, "test")


@pytest.mark.parametrize(
    "numbers, split, says",
    [
        # By their names 1 of a, and 2 and 3 of b, are for the test.
        ({"a": [0, 1], "b": [2, 3], "c": [0, 1]}, "train", "/b is a class without training images"),
        ({"a": [0, 1], "b": [2, 3], "c": [0, 1]}, "test", "/b is a class without training images"),
        ({"a": [0], "b": [0, 1], "c": [0, 1]}, "test", "pictures has no test images"),
    ],
)
def test_names_that_leave_nothing_to_train_or_test(pictures, tmp_path, numbers, split, says):
    for name, chosen in numbers.items():
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in chosen:
            Image.new("L", (5, 6)).save(tmp_path / "pictures" / name / f"{number:03}.png")
    with pytest.raises(DataError, match=rf"{says}: add some .*, or divide them in train/<class>/") as error:
        check_files(pictures, split)
    one_line(error)


def test_no_pictures_at_all(pictures, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"No pictures data in .*FOLDER to one with images in <class>/, or") as error:
        load_split(dataclasses.replace(pictures, root="empty"), "train")
    one_line(error)
