"""CIFAR as its authors publish it: the "python version", as an archive or extracted by torchvision."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import tarfile
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.store.arrays import SplitArrays, check_labels

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

# (folder, archive); known here so that finding and loading cached images need not import torchvision.
NAMES = {
    DatasetSource.cifar10: ("cifar-10-batches-py", "cifar-10-python.tar.gz"),
    DatasetSource.cifar100: ("cifar-100-python", "cifar-100-python.tar.gz"),
}
REPLY_TIMEOUT_S = 10
MOST_BYTES = 256 << 20
"""Of one file of the archive; the largest published has 155 MB."""

log = logging.getLogger(__name__)


def _published(config: DatasetConfig) -> type[CIFAR10]:
    """Returns torchvision's class, for its file lists, checksums and address."""
    from torchvision import datasets

    return datasets.CIFAR10 if config.source is DatasetSource.cifar10 else datasets.CIFAR100


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    entry = archive.getmember(name)
    file = archive.extractfile(entry)
    if file is None:
        raise KeyError(f"{name} is no file")
    if entry.size > MOST_BYTES:
        raise OSError(f"{name} unpacks to {entry.size:,} bytes")
    return file.read()


def _read_members(path: Path, folder: str, names: list[str]) -> dict[str, bytes]:
    """The content of files below an extracted folder, or inside an archive that is left as it is."""
    try:
        if path.is_dir():
            return {name: (path / name).read_bytes() for name in names}
        with tarfile.open(path) as archive:
            return {name: _member(archive, f"{folder}/{name}") for name in names}
    except (OSError, EOFError, KeyError, tarfile.TarError, zlib.error) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is incomplete or corrupt ({cause}): remove it and fetch it again.") from error


@dataclass(frozen=True)
class CifarFiles:
    """The published files: an extracted folder or the archive."""

    path: Path
    config: DatasetConfig

    @classmethod
    def find(cls, place: Path, config: DatasetConfig) -> CifarFiles | None:
        """The folder or else the archive in a place, None if there is neither."""
        for name in NAMES[config.source]:
            if (place / name).exists():
                return cls(place / name, config)
        return None

    def files(self, split: str) -> list[Path]:
        """The files that hold both splits."""
        return sorted(self.path.iterdir()) if self.path.is_dir() else [self.path]

    def unused(self) -> list[str]:
        return []

    def read(self, split: str) -> SplitArrays:
        """Reads a split.

        Raises:
            DataError: a file is missing or its checksum is wrong.
        """
        published = _published(self.config)
        batches = dict(published.train_list if split == "train" else published.test_list)
        expected = {**batches, published.meta["filename"]: published.meta["md5"]}
        content = _read_members(self.path, published.base_folder, list(expected))
        for name, checksum in expected.items():
            # Also what makes it safe to unpickle: only the authors' own files pass.
            if hashlib.md5(content[name], usedforsecurity=False).hexdigest() != checksum:
                raise DataError(f"{self.path} is corrupt (checksum of {name}): remove it and fetch it again.")
        entries = [pickle.loads(content[name], encoding="latin1") for name in batches]
        images = np.concatenate([entry["data"] for entry in entries]).reshape(-1, *self.config.shape)
        key = "labels" if self.config.source is DatasetSource.cifar10 else "fine_labels"
        labels = np.concatenate([np.asarray(entry[key], np.int64) for entry in entries])
        classes = pickle.loads(content[published.meta["filename"]], encoding="latin1")[published.meta["key"]]
        check_labels(labels, classes, self.config, self.path)
        return SplitArrays(images, labels, list(classes))


def download(folder: Path, config: DatasetConfig) -> CifarFiles:
    """Fetches the published archive into a folder.

    Args:
        folder: where to put it; made if need be.
        config: says which set.

    Raises:
        OSError: no connection, or the folder cannot be written.
        RuntimeError: what arrived has another checksum.
    """
    from torchvision.datasets.utils import download_url

    published = _published(config)
    # torchvision waits for ever on a network that swallows packets: probe it first.
    request = urllib.request.Request(published.url, method="HEAD")
    urllib.request.urlopen(request, timeout=REPLY_TIMEOUT_S).close()
    log.info("downloading %s to %s ...", published.url, folder)
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / published.filename
    partial = folder / f"{published.filename}.{os.getpid()}.part"
    try:
        download_url(published.url, folder, filename=partial.name, md5=published.tgz_md5)
        os.replace(partial, archive)
    finally:
        partial.unlink(missing_ok=True)
    return CifarFiles(archive, config)
