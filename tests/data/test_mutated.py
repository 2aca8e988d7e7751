"""Mutated data: pictures, parquet files and the cache. They are read, refused in one line, or decoded again."""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.dataset import load_split
from maxexp.data.sources.parquet import ParquetFiles
from maxexp.data.store.arrays import SplitArrays, content_digest
from maxexp.data.store.cache import SplitCache
from maxexp.data.store.decode import decode_image
from tests.data.test_sources import CLASSES, png, random_images, write_parquet
from tests.fuzz import fuzz, mutated

PICTURES = DatasetConfig("pictures", DatasetSource.images, 3, 6, 5, 3, 4, root=".")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "GIF"])
def test_pictures(kind):
    pictures = []
    for size in ((4, 4), (16, 12)):
        for mode in ("RGB", "L"):
            stream = io.BytesIO()
            exif = Image.Exif()
            exif[0x112] = 6
            Image.effect_noise(size, 64).convert(mode).save(stream, kind, exif=exif)
            pictures.append(stream.getvalue())
    words = [b"IHDR", b"IDAT", b"tRNS", b"acTL", b"Exif\0\0", b"\xff\xd9", b"\xff\xe1", b"GIF89a", b"VP8X", b"%!PS"]
    fuzz(
        f"data set's picture, {kind}",
        lambda data: decode_image(data, "a.png", PICTURES, resize=True),
        mutated(pictures, words),
        pictures,
    )


def test_a_picture_that_announces_more_pixels_than_any_camera_takes():
    stream = io.BytesIO()
    Image.new("1", (20_000, 8_000)).save(stream, "PNG")
    assert len(stream.getvalue()) < 100_000
    with pytest.raises(DataError, match=r"not a readable image \(20000x8000 pixels, more than the 67,108,864"):
        decode_image(stream.getvalue(), "a.png", PICTURES, resize=True)


def test_a_picture_is_not_handed_to_other_programs():
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\n"
    with pytest.raises(DataError, match="a.png is not a readable image"):
        decode_image(postscript, "a.png", PICTURES, resize=True)


def test_all_broken_pictures_are_named_at_once(tmp_path):
    for name in "abc":
        folder = tmp_path / "train" / name
        folder.mkdir(parents=True)
        Image.new("RGB", (5, 6)).save(folder / "good.png")
        (folder / "bad.png").write_bytes(b"cut short")
    with pytest.raises(DataError) as caught:
        load_split(dataclasses.replace(PICTURES, root=str(tmp_path)), "train")
    assert all(f"train/{name}/bad.png is not a readable image" in str(caught.value) for name in "abc")


@pytest.fixture
def shard(tmp_path) -> Path:
    return tmp_path / "train-0.parquet"


@pytest.fixture
def read_shard(shard, cifar10):
    """Writes what it gets and reads it as a training split."""

    def read(data: bytes) -> SplitArrays:
        shard.write_bytes(data)
        return ParquetFiles(shard.parent, cifar10).read("train")

    return read


def test_parquet_bytes(shard, read_shard):
    write_parquet(shard, random_images(6), [0, 1, 2, 3, 4, 5])
    good = [shard.read_bytes()]
    fuzz("parquet bytes", read_shard, mutated(good, [b"PAR1", b"\x15\x04", png(random_images(1)[0])]), good)


def test_parquet_metadata(shard, cifar10):
    features = {"img": {"_type": "Image"}, "label": {"names": CLASSES, "_type": "ClassLabel"}}
    good = [json.dumps({"info": {"features": features}}).encode()]
    rows = [{"bytes": png(image), "path": "x.png"} for image in random_images(3)]
    table = pa.table({"img": rows, "label": pa.array([0, 1, 2], pa.int64())})

    def read(described: bytes) -> None:
        pq.write_table(table.replace_schema_metadata({b"huggingface": described}), shard)
        ParquetFiles(shard.parent, cifar10).read("train")

    words = [
        b'"names": 5',
        b'"names": {"a": 1}',
        b"[null, 1]",
        b"null",
        b"[" * 5000,
        b'"label": []',
        b"1e999",
        b"NaN",
    ]
    fuzz("parquet metadata", read, mutated(good, words), good)


def test_a_shard_with_more_rows_than_bytes_is_not_read(shard, read_shard):
    pq.write_table(pa.table({"label": pa.array(np.zeros(10**6, np.int64))}), shard)
    with pytest.raises(DataError, match=r"not a whole parquet file \(1,000,000 images in [\d,]+ bytes\)"):
        read_shard(shard.read_bytes())


def test_image_cache(tmp_path):
    """A damaged entry is no entry; one that is taken is what was kept."""
    arrays = SplitArrays(random_images(3), np.arange(3), CLASSES)
    cache = SplitCache(tmp_path, "pictures-train", {"a": 1})
    cache.store("mark", arrays, content_digest(arrays.images, arrays.labels))
    files = sorted((tmp_path / "datasets").iterdir())
    assert len(files) == 3
    whole = {file: file.read_bytes() for file in files}

    def load(given: tuple[Path, bytes]) -> None:
        file, data = given
        file.write_bytes(data)
        found = cache.load("mark")
        file.write_bytes(whole[file])
        if found is not None:
            kept, digest = found
            assert np.array_equal(kept.images, arrays.images) and np.array_equal(kept.labels, arrays.labels)
            assert (kept.classes, digest) == (CLASSES, content_digest(arrays.images, arrays.labels))

    for file in files:
        kind = file.name.split("-")[-1] if file.suffix == ".npy" else "sidecar"
        mutations = mutated([whole[file]], [b"(3, 3, 32, 32)", b"|O", b"null", b'"classes": ["a"]', b"[" * 5000])
        fuzz(f"image cache, {kind}", load, ((file, data) for data in mutations), [(file, whole[file])])
