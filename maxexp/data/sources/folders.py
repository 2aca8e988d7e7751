"""Images in one folder per class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.sources.unused import alike, spelling, unused_files, unused_neighbours
from maxexp.data.store.arrays import SplitArrays, check_labels
from maxexp.data.store.decode import decode_images
from maxexp.data.store.split import is_for_test

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def _is_image(path: Path) -> bool:
    """Tells whether a path has an image's name; a broken link counts, and is reported when it is
    read."""
    named = path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    return named and (path.is_file() or not path.exists())


def _images_by_class(folder: Path) -> dict[str, list[Path]]:
    """Class name -> its image files, both sorted; hidden files and folders without images are left out."""
    found = {}
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.name.startswith("."):
            files = sorted(path for path in child.iterdir() if _is_image(path))
            if files:
                found[child.name] = files
    return found


@dataclass(frozen=True)
class ClassFolders:
    """`train/<class>/*` and `test/<class>/*`, or `<class>/*` alone, about a fifth of it as test split."""

    folder: Path
    config: DatasetConfig

    @classmethod
    def find(cls, place: Path, config: DatasetConfig) -> ClassFolders | None:
        """The class folders in a place, None if there are none."""
        if (place / "train").is_dir():
            return cls(place, config) if _images_by_class(place / "train") else None
        # Other folders below a common root may well hold pictures; CIFAR has to say what it is.
        if config.source is DatasetSource.images and place.is_dir() and _images_by_class(place):
            return cls(place, config)
        return None

    @property
    def _divided(self) -> bool:
        return (self.folder / "train").is_dir()

    def _origin(self, split: str) -> Path:
        return self.folder / split if self._divided else self.folder

    def _listing(self, split: str) -> dict[str, list[Path]]:
        """Class name -> its images of the split; classes without any are left out."""
        origin = self._origin(split)
        if not origin.is_dir():
            raise DataError(f"{self.folder} has no folder {split}: add {split}/<class>/ with images.")
        found = _images_by_class(origin)
        if self._divided:
            return found
        wanted = split == "test"
        parts = {
            name: [path for path in files if is_for_test(f"{name}/{path.name}") == wanted]
            for name, files in found.items()
        }
        return {name: files for name, files in parts.items() if files}

    def _labelled(self, split: str) -> tuple[list[Path], np.ndarray, list[str]]:
        """Returns the images, their labels int64 (N,), and the names of the classes."""
        origin, listing, classes = self._origin(split), self._listing(split), list(self._listing("train"))
        untrained = [name for name in _images_by_class(origin) if name not in classes]
        if untrained:
            meant = [name for name in classes if spelling(name) == spelling(untrained[0])]
            hint = f"; did you mean {meant[0]!r}" if meant else ""
            raise DataError(f"{origin / untrained[0]} is a class without training images: {self._remedy}{hint}.")
        if not listing:
            raise DataError(f"{origin} has no {split} images: {self._remedy}.")
        labels = np.array([classes.index(name) for name in listing for _ in listing[name]], dtype=np.int64)
        check_labels(labels, classes, self.config, origin)
        return [path for files in listing.values() for path in files], labels, classes

    @property
    def _remedy(self) -> str:
        """Returns what to do where images are missing."""
        if self._divided:
            return "add some"
        return "add some (names decide which are for the test), or divide them in train/<class>/ and test/<class>/"

    def files(self, split: str) -> list[Path]:
        """All that has a say in the split's content: its images, and the classes that number its labels.

        Raises:
            DataError: images missing, or classes that disagree with the configuration.
        """
        files, _, classes = self._labelled(split)
        return [*files, *(self._origin("train") / name for name in classes)]

    def count_classes(self) -> int:
        """Returns how many classes have training images."""
        return len(self._listing("train"))

    def unused(self) -> list[str]:
        found: list[str] = []
        classes = [_images_by_class(self._origin(split)) for split in self._splits]
        for split, images in zip(self._splits, classes, strict=True):
            origin = self._origin(split)
            read = [path for files in images.values() for path in files]
            sentences = unused_files((origin / name for name in images), read, SUFFIXES)
            sentences += unused_neighbours(origin, images, SUFFIXES)
            found += [f"{origin}: {sentence}" for sentence in sentences]
        if self._divided:
            sentences = unused_neighbours(self.folder, ("train", "test"), SUFFIXES)
            found += [f"{self.folder}: {sentence}" for sentence in sentences]
        return found + alike(dict.fromkeys(name for images in classes for name in images))

    @property
    def _splits(self) -> list[str]:
        """Returns the splits with a folder of their own; one stands for both where there is none."""
        return [split for split in ("train", "test") if self._origin(split).is_dir()][: 2 if self._divided else 1]

    def read(self, split: str) -> SplitArrays:
        """Decodes a split; the user's own images are resized, those of a known set must fit.

        Raises:
            DataError: an unreadable image, or classes that disagree with the configuration.
        """
        files, labels, classes = self._labelled(split)
        resize = self.config.source is DatasetSource.images
        images = decode_images(files, [str(path) for path in files], self.config, resize)
        return SplitArrays(images, labels, classes)
