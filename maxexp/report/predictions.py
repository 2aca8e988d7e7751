"""Predicted classes of the test images, as an artifact of the run that made them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maxexp.base.array_file import read_archive
from maxexp.base.disk import writing
from maxexp.base.errors import FormatError
from maxexp.tracking.artifacts import PREDICTIONS

KINDS = ("integer", "quantized", "float")
"""What a network may be evaluated as; the nearest to the chip first."""

Arrays = dict[str, np.ndarray]
"""Content of ``predictions.npz``, by name."""


@dataclass(frozen=True)
class Predictions:
    """What one run said of its test images, in their order in the data set.

    Attributes:
        kind: one of KINDS.
        predicted: int (N,).
        labels: int (N,).
        classes: names.
    """

    kind: str
    predicted: np.ndarray
    labels: np.ndarray
    classes: Sequence[str]

    @property
    def wrong(self) -> np.ndarray:
        """Tells for each example whether the decision is right: bool (N,)."""
        return self.predicted != self.labels

    @property
    def confusion(self) -> np.ndarray:
        """Returns int64 (classes, classes): images by true class (rows) and predicted class (columns)."""
        return confusion(self.labels, self.predicted, len(self.classes))


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Returns int64 (classes, classes): examples by true class (rows) and predicted class (columns), of int (N,)
    each."""
    pairs = labels.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def write_predictions(folder: Path, arrays: Arrays) -> Path:
    """Writes ``predictions.npz``: one array for each kind, the targets, and what else the task keeps."""
    path = folder / Path(PREDICTIONS).name
    with writing("predictions", path):
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # numpy types one of its keywords otherwise
    return path


def read_predictions(path: Path) -> Predictions:
    """The predicted classes of the kind that is nearest to the chip.

    Raises:
        KeyError: the run predicted no classes.
        FormatError: the file holds no predictions, or such as no network of these classes gives.
        OSError: it cannot be read.
    """
    content = read_archive(path)
    kind = next((kind for kind in KINDS if kind in content), None)
    if kind is None or "labels" not in content:
        raise FormatError("it holds no predictions")
    predicted, labels, classes = content[kind], content["labels"], content["classes"]
    if predicted.shape != labels.shape or labels.ndim != 1 or classes.ndim != 1 or classes.dtype.kind != "U":
        raise FormatError("predictions, labels and classes do not go together")
    if not all(_are_classes(values, len(classes)) for values in (predicted, labels)):
        raise FormatError("it holds numbers that are no classes")
    return Predictions(kind, predicted, labels, classes.tolist())


def _are_classes(values: np.ndarray, count: int) -> bool:
    return values.dtype.kind in "iu" and (values.size == 0 or bool(values.min() >= 0 and values.max() < count))
