"""Finds the files of a data set, or fetches them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.sources import cifar
from maxexp.data.sources.arrays import ArrayFile
from maxexp.data.sources.basic_motions import BasicMotions
from maxexp.data.sources.cifar import CifarFiles
from maxexp.data.sources.diabetes import Diabetes
from maxexp.data.sources.digits import Digits
from maxexp.data.sources.folders import ClassFolders
from maxexp.data.sources.parquet import ParquetFiles
from maxexp.data.sources.signals import SignalFiles
from maxexp.data.store.arrays import SplitArrays

DEFAULT_ROOT = "data"


class Source(Protocol):
    """Files that hold a data set."""

    def files(self, split: str) -> list[Path]:
        """The files a split is decoded from: when one of them changes, so may the images."""

    def read(self, split: str) -> SplitArrays:
        """Decodes the split `train` or `test`."""

    def unused(self) -> list[str]:
        """Sentences about files beside those that are read which may have been meant to be read."""


SHIPPED: dict[DatasetSource, Callable[[], Source]] = {
    DatasetSource.digits: Digits,
    DatasetSource.diabetes: Diabetes,
    DatasetSource.basic_motions: BasicMotions,
}
"""Data that a dependency brings along."""


def roots(config: DatasetConfig) -> list[Path]:
    """The folders below which a data set may be, most preferred first."""
    if config.root is not None:
        return [Path(config.root).expanduser()]
    elsewhere = os.environ.get("MAXEXP_DATA")
    return [Path(DEFAULT_ROOT)] + ([Path(elsewhere).expanduser()] if elsewhere else [])


def find_source(config: DatasetConfig) -> Source:
    """Finds a data set, below each root in `<root>/<name>/` and then in `<root>/`.

    Raises:
        DataError: it is nowhere and cannot be downloaded; the message names the places and the fix.
    """
    shipped = SHIPPED.get(config.source)
    if shipped is not None:
        return shipped()
    if config.source is DatasetSource.arrays:
        return _find_arrays(config)
    if config.source is DatasetSource.signals:
        return _find_signals(config)
    is_cifar = config.source in cifar.NAMES
    kinds = (CifarFiles, ParquetFiles, ClassFolders) if is_cifar else (ParquetFiles, ClassFolders)
    places = [place for root in roots(config) for place in (root / config.name, root)]
    for place in places:
        for kind in kinds:
            source = kind.find(place, config)
            if source is not None:
                return source
    missing = f"No {config.name} data in {', '.join(str(place) for place in places)}"
    if not is_cifar:
        layouts = "<class>/, or in train/<class>/ and test/<class>/"
        raise DataError(f"{missing}: set dataset.root=FOLDER to one with images in {layouts}.")
    if not config.download:
        raise DataError(f"{missing}: set dataset.root=FOLDER, MAXEXP_DATA or dataset.download=true.")
    try:
        return cifar.download(roots(config)[0], config)
    except (OSError, RuntimeError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{missing}, and downloading it failed ({cause}): set dataset.root=FOLDER or MAXEXP_DATA to "
            "a copy, or repeat with a network connection."
        ) from error


def count_classes(config: DatasetConfig) -> int:
    """Returns how many classes the user's own images have.

    Args:
        config: of a set of images; its number of classes is not looked at.

    Raises:
        DataError: there are no images, or they cannot be read.
    """
    source = find_source(config)
    assert isinstance(source, (ParquetFiles, ClassFolders)), "of images there are no others"
    return source.count_classes()


def _find_arrays(config: DatasetConfig) -> Source:
    """The .npz file that ``dataset.root`` names, or ``NAME.npz`` in one of the roots."""
    for root in roots(config):
        source = ArrayFile.find(root, config)
        if source is not None:
            return source
    places = ", ".join(str(root if root.suffix == ".npz" else root / f"{config.name}.npz") for root in roots(config))
    raise DataError(f"No {config.name} data: there is no {places}; set dataset.root=FILE.npz")


def _find_signals(config: DatasetConfig) -> Source:
    """The recordings in ``<root>/<name>/`` or ``<root>/``, or the CSV file that ``dataset.root`` names."""
    places = [place for root in roots(config) for place in (root / config.name, root)]
    for place in places:
        source = SignalFiles.find(place, config)
        if source is not None:
            return source
    name = config.name
    raise DataError(
        f"No {name} data in {', '.join(map(str, places))}: set dataset.root=FOLDER to one with .csv or .npz files in "
        f"<class>/, or in train/<class>/ and test/<class>/, or with {name}_TRAIN.ts and {name}_TEST.ts; or "
        "dataset.root=FILE.csv and dataset.label=COLUMN"
    )
