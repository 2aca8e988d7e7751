"""Finding and decoding: all layouts give the same pixels, all defects a sentence."""

import dataclasses
import hashlib
import io
import json
import pickle
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torchvision import datasets

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.dataset import load_split
from maxexp.data.sources.find import cifar

CLASSES = [f"class{number}" for number in range(10)]
FOLDER, ARCHIVE = cifar.NAMES[DatasetSource.cifar10]


def random_images(count: int, shape=(3, 32, 32), seed=0) -> np.ndarray:
    """Noise, uint8 (count, *shape)."""
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def png(image: np.ndarray) -> bytes:
    """Compresses uint8 (C, H, W)."""
    buffer = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0).squeeze()).save(buffer, "PNG")
    return buffer.getvalue()


def write_parquet(file, images, labels, classes=CLASSES, column="img", label="label"):
    """A shard as the hub has it."""
    features = {column: {"_type": "Image"}, label: {"names": classes, "_type": "ClassLabel"}}
    rows = [{"bytes": png(image), "path": "x.png"} for image in images]
    table = pa.table({column: rows, label: pa.array(labels, pa.int64())})
    described = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(described), file)


def write_cifar(folder, monkeypatch):
    """A tiny CIFAR-10 with torchvision's checksums bent to it; returns its images and labels."""
    images, labels = random_images(60), np.arange(60) % 10
    base = folder / FOLDER
    base.mkdir(parents=True)

    def write(name, content):
        (base / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((base / name).read_bytes()).hexdigest()]

    def batch(name, part):
        return write(name, {"data": images[part].reshape(-1, 3072), "labels": labels[part].tolist()})

    train = [batch(f"data_batch_{k + 1}", slice(10 * k, 10 * k + 10)) for k in range(5)]
    monkeypatch.setattr(datasets.CIFAR10, "train_list", train)
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [batch("test_batch", slice(50, 60))])
    name, md5 = write("batches.meta", {"label_names": CLASSES})
    monkeypatch.setattr(datasets.CIFAR10, "meta", {"filename": name, "key": "label_names", "md5": md5})
    return images, labels


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


# Real data


def test_real_cifar10(data_root, cifar10):
    config = dataclasses.replace(cifar10, root=str(data_root))
    train, test = load_split(config, "train"), load_split(config, "test")
    assert train.images.shape == (50000, 3, 32, 32) and train.images.dtype == torch.uint8
    assert torch.bincount(train.labels).tolist() == [5000] * 10
    assert torch.bincount(test.labels).tolist() == [1000] * 10
    assert train.classes[3] == "cat" and len(train.classes) == 10
    table = pq.read_table(next((data_root / "cifar10").glob("train-*.parquet")))
    for row in (0, 12345, 49999):
        image = np.asarray(Image.open(io.BytesIO(table["img"][row]["bytes"].as_py())).convert("RGB"))
        assert np.array_equal(train.images[row].permute(1, 2, 0), image)
        assert train.labels[row] == table["label"][row].as_py()


def test_real_cifar100_has_fine_labels(data_root):
    config = DatasetConfig("cifar100", DatasetSource.cifar100, 3, 32, 32, 100, 5000, root=str(data_root))
    test = load_split(config, "test")
    assert torch.bincount(test.labels).tolist() == [100] * 100
    assert test.classes[0] == "apple"


# CIFAR as published, and as parquet


def test_folder_archive_parquet_and_class_folders_agree(cifar10, tmp_path, monkeypatch):
    images, labels = write_cifar(tmp_path / "folder", monkeypatch)
    (tmp_path / "archive" / "cifar10").mkdir(parents=True)
    with tarfile.open(tmp_path / "archive" / "cifar10" / ARCHIVE, "w:gz") as archive:
        archive.add(tmp_path / "folder" / FOLDER, FOLDER)
    write_parquet(tmp_path / "hub" / "train-00000-of-00002.parquet", images[:30], labels[:30])
    write_parquet(tmp_path / "hub" / "train-00001-of-00002.parquet", images[30:50], labels[30:50])
    write_parquet(tmp_path / "hub" / "test-00000-of-00001.parquet", images[50:], labels[50:])
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / "png" / ("train" if index < 50 else "test") / CLASSES[label]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index:03}.png").write_bytes(png(image))
    for split, part in (("train", slice(0, 50)), ("test", slice(50, 60))):
        for root in ("folder", "archive", "hub"):
            loaded = load_split(dataclasses.replace(cifar10, root=str(tmp_path / root)), split)
            assert np.array_equal(loaded.images, images[part]), root
            assert loaded.labels.tolist() == labels[part].tolist(), root
            assert loaded.classes == CLASSES, root
        sorted_by_class = np.argsort(labels[part], kind="stable")
        loaded = load_split(dataclasses.replace(cifar10, root=str(tmp_path / "png")), split)
        assert np.array_equal(loaded.images, images[part][sorted_by_class])


@pytest.mark.parametrize("damage", ["other content", "missing", "truncated archive"])
def test_damaged_cifar_is_refused(cifar10, tmp_path, monkeypatch, damage):
    write_cifar(tmp_path, monkeypatch)
    batch = tmp_path / FOLDER / "data_batch_3"
    if damage == "other content":
        batch.write_bytes(batch.read_bytes()[:-1] + b"?")
    elif damage == "missing":
        batch.unlink()
    else:
        with tarfile.open(tmp_path / ARCHIVE, "w:gz") as archive:
            archive.add(tmp_path / FOLDER, FOLDER)
        (tmp_path / ARCHIVE).write_bytes((tmp_path / ARCHIVE).read_bytes()[:50_000])
        (tmp_path / FOLDER).rename(tmp_path / "away")
    with pytest.raises(DataError, match="corrupt") as error:
        load_split(dataclasses.replace(cifar10, root=str(tmp_path)), "train")
    assert str(tmp_path) in one_line(error) and "fetch it again" in one_line(error)


# Where it is looked for


def test_places_in_order_of_preference(cifar10, tmp_path, monkeypatch):
    labels = np.arange(10)
    for number, place in enumerate(["data/cifar10", "data", "elsewhere/cifar10", "elsewhere", "root"]):
        write_parquet(tmp_path / place / "test-0.parquet", random_images(10, seed=number), labels)
        write_parquet(tmp_path / place / "train-0.parquet", random_images(10, seed=number), labels)
    monkeypatch.setenv("MAXEXP_DATA", str(tmp_path / "elsewhere"))
    given = dataclasses.replace(cifar10, root=str(tmp_path / "root"))
    assert np.array_equal(load_split(given, "test").images, random_images(10, seed=4))
    for number, place in enumerate(["data/cifar10", "data", "elsewhere/cifar10", "elsewhere"]):
        assert np.array_equal(load_split(cifar10, "test").images, random_images(10, seed=number))
        for file in (tmp_path / place).glob("*.parquet"):
            file.unlink()


def test_missing_data_names_the_places_and_the_fix(cifar10, tmp_path, monkeypatch):
    monkeypatch.setenv("MAXEXP_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(DataError) as error:
        load_split(cifar10, "train")
    message = one_line(error)
    for part in (
        "data/cifar10",
        f"{tmp_path}/elsewhere",
        "dataset.root=",
        "MAXEXP_DATA",
        "dataset.download=true",
    ):
        assert part in message


def test_an_explicit_root_is_the_only_place(cifar10, tmp_path, monkeypatch):
    write_cifar(tmp_path / "data", monkeypatch)
    with pytest.raises(DataError, match="No cifar10 data in nowhere/cifar10, nowhere:"):
        load_split(dataclasses.replace(cifar10, root="nowhere"), "train")


def test_failed_download_is_one_sentence(cifar10, monkeypatch):
    monkeypatch.setattr(datasets.CIFAR10, "url", "http://127.0.0.1:9/nobody-listens.tar.gz")
    with pytest.raises(DataError, match=r"downloading it failed \(.*refused.*MAXEXP_DATA") as error:
        load_split(dataclasses.replace(cifar10, download=True), "train")
    one_line(error)


def test_download_arrives_in_the_root(cifar10, tmp_path, monkeypatch):
    images, _ = write_cifar(tmp_path / "server", monkeypatch)
    with tarfile.open(tmp_path / ARCHIVE, "w:gz") as archive:
        archive.add(tmp_path / "server" / FOLDER, FOLDER)
    content = (tmp_path / ARCHIVE).read_bytes()

    def fetch(url, root, filename, md5):
        assert (url, md5) == (datasets.CIFAR10.url, datasets.CIFAR10.tgz_md5)
        (root / filename).write_bytes(content)

    monkeypatch.setattr("torchvision.datasets.utils.download_url", fetch)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO())
    config = dataclasses.replace(cifar10, download=True, root=str(tmp_path / "new" / "root"))
    assert np.array_equal(load_split(config, "train").images, images[:50])
    assert [file.name for file in (tmp_path / "new" / "root").iterdir()] == [ARCHIVE]
    offline = dataclasses.replace(config, download=False)
    assert np.array_equal(load_split(offline, "test").images, images[50:])


def test_an_interrupted_download_leaves_nothing_behind(cifar10, tmp_path, monkeypatch):
    def fetch(url, root, filename, md5):
        (root / filename).write_bytes(b"half of it")
        raise RuntimeError("File not found or corrupted.")

    monkeypatch.setattr("torchvision.datasets.utils.download_url", fetch)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO())
    with pytest.raises(DataError, match="downloading it failed"):
        load_split(dataclasses.replace(cifar10, download=True), "train")
    assert list((tmp_path / "data").iterdir()) == []


# Parquet defects


def parquet_error(config, root):
    with pytest.raises(DataError) as error:
        load_split(dataclasses.replace(config, root=str(root)), "train")
    return one_line(error)


def test_truncated_parquet(cifar10, tmp_path):
    file = tmp_path / "train-0.parquet"
    write_parquet(file, random_images(10), np.arange(10))
    file.write_bytes(file.read_bytes()[:-100])
    assert f"{file} is not a whole parquet file" in parquet_error(cifar10, tmp_path)


def test_parquet_with_a_damaged_page(cifar10, tmp_path):
    file = tmp_path / "train-0.parquet"
    write_parquet(file, random_images(10), np.arange(10))
    content = bytearray(file.read_bytes())
    content[4:2000] = bytes(1996)
    file.write_bytes(content)
    assert str(file) in parquet_error(cifar10, tmp_path)


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"column": "picture"}, "no column img or image"),
        ({"label": "kind"}, "no column fine_label or label"),
        ({"classes": CLASSES[:9]}, "9 classes where dataset.num_classes=10"),
        ({"labels": [0, 1, 10]}, "the label 10, outside of 0 to 9"),
        ({"labels": [0, 1, -1]}, "the label -1, outside of 0 to 9"),
        ({"images": random_images(3, (3, 28, 32))}, "row 0 has 32x28 pixels"),
    ],
)
def test_parquet_that_disagrees(cifar10, tmp_path, wrong, says):
    file = tmp_path / "train-0.parquet"
    write_parquet(file, **({"images": random_images(3), "labels": [0, 1, 2]} | wrong))
    message = parquet_error(cifar10, tmp_path)
    assert says in message and str(file) in message


@pytest.mark.parametrize(
    "columns, says",
    [
        ({"img": [b"abc"], "label": [0]}, "no struct"),
        ({"img": [{"bytes": None, "path": "x"}], "label": [0]}, "without image bytes"),
        ({"img": [{"bytes": b"abc", "path": "x"}], "label": ["cat"]}, "not one whole number"),
        ({"img": [{"bytes": b"abc", "path": "x"}], "label": [0]}, "row 0 is not a readable image"),
    ],
)
def test_parquet_with_unusable_columns(cifar10, tmp_path, columns, says):
    pq.write_table(pa.table(columns), tmp_path / "train-0.parquet")
    message = parquet_error(cifar10, tmp_path)
    assert says in message and "train-0.parquet" in message


def test_missing_shard_and_missing_split(cifar10, tmp_path):
    write_parquet(tmp_path / "train-00000-of-00002.parquet", random_images(10), np.arange(10))
    assert "1 of 2 files train-*.parquet" in parquet_error(cifar10, tmp_path)
    with pytest.raises(DataError, match=r"no test-\*\.parquet"):
        load_split(dataclasses.replace(cifar10, root=str(tmp_path)), "test")


# Digits


def test_digits_need_no_files(digits):
    train, test = load_split(digits, "train"), load_split(digits, "test")
    assert (len(train), len(test)) == (1438, 359)
    assert train.images.shape[1:] == (1, 8, 8)
    assert (train.images.min(), train.images.max()) == (0, 255)
    # The classes have 174 to 183 images: a fifth of each is 35 or 36 or 37.
    assert set(torch.bincount(test.labels).tolist()) <= {35, 36, 37}
