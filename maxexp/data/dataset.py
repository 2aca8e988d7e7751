"""One split of a data set in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from maxexp.base.folders import cache_folder
from maxexp.base.languages.printable import printable
from maxexp.data.config import DatasetConfig, DatasetSource, Resize
from maxexp.data.sources.find import find_source
from maxexp.data.store.arrays import InputRange, TargetUnit, content_digest
from maxexp.data.store.cache import SplitCache, fingerprint, prepared_once


@dataclass(frozen=True)
class ImageSet:
    """Examples with what is to be learned of them: classes or real targets.

    Attributes:
        images: uint8 (N, C, H, W); signals are images of one column.
        labels: int64 (N,), numbers of classes; or float32 (N, outputs), real targets in the range of a network's
            outputs.
        classes: names, in the order of the labels; none for real targets.
        digest: SHA-256 (hexadecimal) of images and labels.
        unit: of real targets.
        input_range: of real inputs, which became pixels by it.
    """

    images: Tensor
    labels: Tensor
    classes: list[str]
    digest: str
    unit: TargetUnit = TargetUnit()
    input_range: InputRange = InputRange()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def strata(self) -> np.ndarray:
        """Returns int64 (N,): the group of each example whose proportions a division of the set keeps."""
        if self.labels.is_floating_point():
            return np.zeros(len(self), np.int64)
        return self.labels.cpu().numpy()

    def subset(self, indices: np.ndarray) -> ImageSet:
        """The images at int64 `indices`, in that order, as a copy with its own digest."""
        images, labels = self.images.cpu().numpy()[indices], self.labels.cpu().numpy()[indices]
        digest = content_digest(images, labels)
        return replace(self, images=torch.from_numpy(images), labels=torch.from_numpy(labels), digest=digest)

    def to(self, device: torch.device | str) -> ImageSet:
        """The same images on a device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))


def check_files(config: DatasetConfig, *splits: str) -> None:
    """Finds the files of the splits `train` and `test`, without opening them; downloads them where that is allowed.

    Raises:
        DataError: they are missing; better said before a training than after it.
    """
    with prepared_once(cache_folder(config.cache_dir), config.name):
        source = find_source(config)
        for split in splits:
            source.files(split)


def load_split(config: DatasetConfig, split: str) -> ImageSet:
    """Loads a whole split, decoding it only if the cache does not hold it.

    Neither `validation_images` nor `limit` apply here: they are the data module's.

    Args:
        config: the data set.
        split: `train` or `test`.

    Raises:
        DataError: the data are missing, corrupt, or not what the configuration says.
    """
    folder = cache_folder(config.cache_dir)
    with prepared_once(folder, config.name):
        source = find_source(config)
        parameters = {
            "source": config.source.name,
            "kind": type(source).__name__,
            "split": split,
            "shape": config.shape,
            "num_classes": config.num_classes,
            "num_outputs": config.num_outputs,
            "range": config.range,
        }
        if config.source is DatasetSource.signals:
            parameters |= {key: getattr(config, key) for key in ("hop", "label", "range_per_channel")}
        if config.resize is not Resize.squash:  # as files of before there was a choice
            parameters["resize"] = config.resize.name
        mark = fingerprint(source.files(split), parameters)
        cache = SplitCache(folder, f"{config.name}-{split}", parameters)
        kept = cache.load(mark)
        if kept is None:
            arrays = source.read(split)
            kept = arrays, content_digest(arrays.images, arrays.labels)
            cache.store(mark, *kept)
    arrays, digest = kept
    images, labels = torch.from_numpy(arrays.images), torch.from_numpy(arrays.labels)
    # Names of folders may hold anything; from here on every table, picture and file can hold them.
    return ImageSet(images, labels, list(map(printable, arrays.classes)), digest, arrays.unit, arrays.input_range)
