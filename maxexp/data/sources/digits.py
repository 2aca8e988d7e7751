"""The handwritten digits that come with scikit-learn: 1,797 gray images of 8x8, nothing to download."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maxexp.data.store.arrays import SplitArrays
from maxexp.data.store.split import fixed_test_split

BRIGHTEST = 16


@dataclass(frozen=True)
class Digits:
    """`sklearn.datasets.load_digits`, a fixed fifth of it as test split."""

    def files(self, split: str) -> list[Path]:
        """Returns None: the images are part of a library."""
        return []

    def unused(self) -> list[str]:
        return []

    def read(self, split: str) -> SplitArrays:
        """Pixels scaled from 0..16 to 0..255."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        images = np.rint(bunch.images * (255 / BRIGHTEST)).astype(np.uint8)[:, None]
        labels = bunch.target.astype(np.int64)
        train, test = fixed_test_split(labels)
        part = train if split == "train" else test
        return SplitArrays(images[part], labels[part], [str(name) for name in bunch.target_names])
