"""The cache: used when it can be trusted, rebuilt when not, never in the way."""

import dataclasses
import json
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from maxexp.base.folders import cache_folder
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.dataset import load_split
from maxexp.data.sources.folders import ClassFolders
from maxexp.data.store import cache


@pytest.fixture
def pictures(tmp_path) -> DatasetConfig:
    """Six one-coloured pictures of two classes."""
    for name, gray in (("dark", 10), ("light", 200)):
        folder = tmp_path / "pictures" / "train" / name
        folder.mkdir(parents=True)
        for index in range(3):
            Image.new("L", (8, 8), gray + index).save(folder / f"{index}.png")
    return DatasetConfig("pictures", DatasetSource.images, 1, 8, 8, 2, 2, root=str(tmp_path))


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """Grows by one entry per decoding."""
    calls, read = [], ClassFolders.read

    def counted(self, split):
        calls.append(split)
        return read(self, split)

    monkeypatch.setattr(ClassFolders, "read", counted)
    return calls


def cached_files(tmp_path, pattern) -> list[Path]:
    return sorted((tmp_path / "cache" / "datasets").glob(pattern))


def test_second_load_decodes_nothing(pictures, decoded):
    first, second = load_split(pictures, "train"), load_split(pictures, "train")
    assert decoded == ["train"]
    assert (second.images == first.images).all() and (second.labels == first.labels).all()
    assert (second.classes, second.digest) == (first.classes, first.digest)


def test_a_changed_source_is_decoded_again(pictures, decoded, tmp_path):
    first = load_split(pictures, "train")
    file = tmp_path / "pictures" / "train" / "dark" / "0.png"
    size = file.stat().st_size
    Image.new("L", (8, 8), 99).save(file)
    os.utime(file, ns=(1, 1))
    assert file.stat().st_size == size  # so that it is the time that tells
    changed = load_split(pictures, "train")
    assert len(decoded) == 2
    assert changed.images[0].unique().tolist() == [99]
    assert changed.digest != first.digest
    file.unlink()
    assert len(load_split(pictures, "train")) == 5


def test_other_parameters_are_another_entry(pictures, decoded):
    small = dataclasses.replace(pictures, height=4, width=4)
    for config in (pictures, small, pictures, small):
        assert load_split(config, "train").images.shape[2] == config.height
    assert len(decoded) == 2


def test_a_new_format_version_is_decoded_again(pictures, decoded, monkeypatch):
    load_split(pictures, "train")
    monkeypatch.setattr(cache, "FORMAT_VERSION", cache.FORMAT_VERSION + 1)
    load_split(pictures, "train")
    assert len(decoded) == 2


def flip_last_byte(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def forget_digest(file):
    described = json.loads(file.read_text())
    del described["digest"]
    file.write_text(json.dumps(described))


@pytest.mark.parametrize(
    "pattern, damage",
    [
        ("*-images.npy", flip_last_byte),
        ("*-images.npy", lambda file: os.truncate(file, file.stat().st_size - 1)),
        ("*-images.npy", lambda file: os.truncate(file, 0)),
        ("*-images.npy", Path.unlink),
        ("*-labels.npy", flip_last_byte),
        ("*-labels.npy", lambda file: file.write_bytes(b"\x93NUMPY nonsense")),
        ("*.json", lambda file: os.truncate(file, 20)),
        ("*.json", lambda file: file.write_text("[]")),
        ("*.json", forget_digest),
    ],
)
def test_a_damaged_entry_is_rebuilt(pictures, decoded, tmp_path, pattern, damage):
    first = load_split(pictures, "train")
    (file,) = cached_files(tmp_path, pattern)
    damage(file)
    again = load_split(pictures, "train")
    assert len(decoded) == 2
    assert again.digest == first.digest and (again.images == first.images).all()
    load_split(pictures, "train")
    assert len(decoded) == 2


def test_an_unwritable_cache_is_done_without_and_said_once(pictures, decoded, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder can be made below a file")
    config = dataclasses.replace(pictures, cache_dir=str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, "maxexp.data.store.cache"):
        digests = {load_split(config, "train").digest for _ in range(2)}
    assert decoded == ["train", "train"] and len(digests) == 1
    assert len(caplog.records) == 1 and str(tmp_path / "file") in caplog.text


def test_a_failed_write_leaves_nothing_behind(pictures, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("maxexp.data.store.cache.np.save", full)
    assert len(load_split(pictures, "train")) == 6
    assert cached_files(tmp_path, "*") == cached_files(tmp_path, ".*") == []


def test_many_at_once_get_the_same_and_leave_a_whole_entry(pictures, decoded, tmp_path):
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            digests = set(pool.map(lambda _: load_split(pictures, "train").digest, range(40)))
    finally:
        sys.setswitchinterval(interval)
    assert len(digests) == 1
    count = len(decoded)
    load_split(pictures, "train")
    assert len(decoded) == count
    assert len(cached_files(tmp_path, "*")) == 3 and not cached_files(tmp_path, ".*")


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("MAXEXP_CACHE", "/from/environment")
    assert cache_folder("/configured") == Path("/configured")
    assert cache_folder(None) == Path("/from/environment")
    monkeypatch.delenv("MAXEXP_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder(None) == tmp_path / ".cache" / "maxexp"
