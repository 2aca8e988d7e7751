"""A user's own images: nothing is left out, doubled or taken for something else without a word."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from maxexp.base.errors import DataError
from maxexp.data.augmentation.config import AugmentationConfig
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.run_data import RunData

PICTURES = DatasetConfig("pictures", DatasetSource.images, 3, 8, 8, 2, 4, root=".")


def picture(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)).save(path, "PNG")
    return path


@pytest.fixture
def folders(tmp_path) -> Path:
    """Two classes with ten pictures to learn from and two for the test, all different."""
    for label, name in enumerate(("cat", "dog")):
        for number in range(12):
            part = "train" if number < 10 else "test"
            picture(tmp_path / part / name / f"{number}.png", 100 * label + number)
    return tmp_path


@pytest.fixture
def doubts(folders, caplog):
    """``doubts()``: what is warned of before a training."""

    def doubts(**changes: object) -> list[str]:
        caplog.clear()
        data = RunData(dataclasses.replace(PICTURES, **changes), AugmentationConfig(), 4, 0)
        data.check("train", "test")
        data.warn_of_doubts("train", "test")
        return [message.removeprefix("pictures: ") for message in caplog.messages]

    return doubts


def test_a_sound_set_raises_no_doubts(doubts, folders):
    (folders / "train" / "cat" / ".DS_Store").write_text("")
    assert doubts() == []


def test_files_that_are_not_read_are_told(doubts, folders):
    for number in range(3):
        picture(folders / "train" / "cat" / f"x{number}.gif", number)
    (folders / "train" / "dog" / "README").write_text("")
    (sentence,) = doubts()
    assert sentence == (
        "train: 4 files in class folders are not read (3 x .gif, 1 x (no suffix)); images are "
        ".bmp .jpeg .jpg .png .webp"
    )


def test_folders_that_are_not_read_are_told(doubts, folders):
    picture(folders / "train" / "cat" / "more" / "0.png", 1)
    picture(folders / "train" / "loose.png", 2)
    picture(folders / "validation" / "cat" / "0.png", 3)
    (folders / "train" / "bird").mkdir()
    assert doubts() == [
        "train: folders inside class folders are not read (cat/more); move their images up",
        "train: folders without any images are no classes (train/bird)",
        "train: 1 images that are in no class folder are not read (train/loose.png)",
        ".: folders with images deeper inside, or of no split, are not read (validation)",
    ]


def test_a_pipe_is_no_image_and_nobody_waits_for_it(doubts, folders):
    os.mkfifo(folders / "train" / "cat" / "pipe.png")
    (sentence,) = doubts()
    assert sentence.startswith("train: 1 files in class folders are not read (1 x .png)")


def test_classes_that_look_alike_are_told(doubts, folders):
    for part in ("train", "test"):
        for number in range(2):
            picture(folders / part / "Cat" / f"{number}.png", 1000 + number + 10 * (part == "test"))
    (sentence,) = [text for text in doubts(num_classes=3) if "spelling" in text]
    assert sentence.startswith("classes that differ in their spelling alone count as several ('Cat' and 'cat')")


def test_a_class_of_another_spelling_in_the_test_split(doubts, folders):
    (folders / "test" / "cat").rename(folders / "test" / "Cat")
    with pytest.raises(DataError, match="Cat is a class without training images: add some; did you mean 'cat'"):
        doubts()


def test_pictures_under_two_classes_are_told(doubts, folders):
    picture(folders / "train" / "dog" / "same.png", 3)
    assert "1 images are in two classes (cat and dog); leave each in the right one" in doubts()


def test_pictures_to_learn_from_and_to_be_judged_by_are_told(doubts, folders):
    picture(folders / "test" / "dog" / "same.png", 103)
    assert doubts() == ["1 of 5 test images are copies of those of other parts: accuracy looks better than it is"]


def test_names_that_are_no_text_are_names(doubts, folders):
    os.rename(os.fsencode(folders / "train" / "dog"), os.fsencode(folders / "train") + b"/d\xf6g")
    os.rename(os.fsencode(folders / "test" / "dog"), os.fsencode(folders / "test") + b"/d\xf6g")
    assert doubts() == []
    assert RunData(PICTURES, AugmentationConfig(), 4, 0).train.classes == ["cat", r"d\xf6g"]


def test_parquet_files_of_other_splits_are_told(tmp_path, caplog):
    rows = [{"bytes": picture(tmp_path / "x.png", number).read_bytes(), "path": "x"} for number in range(8)]
    for name in ("train-0", "test-0", "validation-0"):
        table = pa.table({"image": rows, "label": pa.array([0, 1] * 4, pa.int64())})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    data = RunData(PICTURES, AugmentationConfig(), 4, 0)
    data.warn_of_doubts("train")
    assert "pictures: 1 parquet files are not read (validation-0.parquet)" in caplog.messages
