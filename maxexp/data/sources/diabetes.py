"""The diabetes study that comes with scikit-learn: 442 patients, ten features, the disease's progress in a year."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maxexp.data.store.arrays import InputRange, SplitArrays
from maxexp.data.store.scaling import target_unit, to_pixels, to_unit
from maxexp.data.store.split import fixed_test_split


@dataclass(frozen=True)
class Diabetes:
    """`sklearn.datasets.load_diabetes`, a fixed fifth of it as test split; each feature is scaled for itself."""

    def files(self, split: str) -> list[Path]:
        """Returns None: the data are part of a library."""
        return []

    def unused(self) -> list[str]:
        return []

    def read(self, split: str) -> SplitArrays:
        """Features as (N, 10, 1, 1) pixels, targets of one output."""
        from sklearn.datasets import load_diabetes

        bunch = load_diabetes(scaled=False)
        train, test = fixed_test_split(np.zeros(len(bunch.target), np.int64))
        low, high = bunch.data[train].min(0), bunch.data[train].max(0)
        unit = target_unit(bunch.target[train, None])
        part = train if split == "train" else test
        pixels = to_pixels(bunch.data[part], low, high)[:, :, None, None]
        scale = InputRange(tuple(low.tolist()), tuple(high.tolist()))
        return SplitArrays(pixels, to_unit(bunch.target[part, None], unit), [], unit, scale)
