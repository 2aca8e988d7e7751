"""Predicted classes of the test images, as an artifact of the run that made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maxexp.tracking.artifacts import PREDICTIONS

KINDS = ("integer", "quantized", "float")
"""What a network may be evaluated as; the nearest to the chip first."""


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
        """bool (N,)."""
        return self.predicted != self.labels

    @property
    def confusion(self) -> np.ndarray:
        """int64 (classes, classes): images by true class (rows) and predicted class (columns)."""
        count = len(self.classes)
        pairs = self.labels.astype(np.int64) * count + self.predicted
        return np.bincount(pairs, minlength=count**2).reshape(count, count)


def write_predictions(
    folder: Path, predicted: Mapping[str, np.ndarray], labels: np.ndarray, classes: Sequence[str]
) -> Path:
    """Write ``predictions.npz``: arrays ``labels`` and one for each kind, int16 (N,), and ``classes``."""
    path = folder / Path(PREDICTIONS).name
    arrays: dict[str, Any] = {
        kind: values.astype(np.int16) for kind, values in (*predicted.items(), ("labels", labels))
    }
    np.savez_compressed(path, classes=np.array(classes, dtype=np.str_), **arrays)
    return path


def read_predictions(path: Path) -> Predictions:
    """The predictions of the kind that is nearest to the chip."""
    with np.load(path) as content:
        kind = next(kind for kind in KINDS if kind in content)
        return Predictions(kind, content[kind], content["labels"], content["classes"].tolist())
