"""One decoded split as numpy arrays: what every source delivers and the cache keeps."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig


@dataclass(frozen=True)
class TargetUnit:
    """How real targets come out of what a network gives: ``offset + scale * output``.

    Attributes:
        offset: one for each target value, or a single one for all.
        scale: likewise.
    """

    offset: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class InputRange:
    """The numbers that become the pixels 0 and 255; empty: the data were pixels.

    Attributes:
        low: one for each channel, or a single one for all.
        high: likewise.
    """

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True)
class SplitArrays:
    """Decoded examples.

    Attributes:
        images: uint8 (N, C, H, W).
        labels: int64 (N,), numbers of classes; or float32 (N, outputs), real targets in the range of a network's
            outputs.
        classes: names, in the order of the labels; none for real targets.
        unit: of real targets.
        input_range: of real inputs, that of the training split.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: list[str]
    unit: TargetUnit = TargetUnit()
    input_range: InputRange = InputRange()


def content_digest(images: np.ndarray, labels: np.ndarray) -> str:
    """Returns SHA-256 (hexadecimal) over shape, pixels and labels, so that equal digests mean equal data."""
    digest = hashlib.sha256(repr(images.shape).encode())
    digest.update(np.ascontiguousarray(images).data)
    digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


def check_labels(labels: np.ndarray, classes: list[str], config: DatasetConfig, origin: Path) -> None:
    """Refuses labels and class names that disagree with `dataset.num_classes`.

    Args:
        labels: int64 (N,).
        classes: names of the classes found.
        config: the data set's configuration.
        origin: file or folder to name in the message.

    Raises:
        DataError: no images, another number of classes, or a label outside of them.
    """
    if len(labels) == 0:
        raise DataError(f"{origin} holds no images: give a folder or file that does.")
    if len(classes) != config.num_classes:
        raise DataError(
            f"{origin} has {len(classes)} classes where dataset.num_classes={config.num_classes}: "
            "correct whichever of the two is wrong."
        )
    outside = labels[(labels < 0) | (labels >= len(classes))]
    if len(outside):
        raise DataError(
            f"{origin} holds the label {outside[0]}, outside of 0 to {len(classes) - 1}: "
            "repair the file or raise dataset.num_classes."
        )
