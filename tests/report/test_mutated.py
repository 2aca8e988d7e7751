"""Mutated artifacts of runs: what is read of them is whole, or refused in one line."""

import numpy as np
import pytest

from maxexp.base.errors import FormatError
from maxexp.report.predictions import read_predictions
from tests.fuzz import fuzz, mutated

ARRAYS = {
    "integer": np.array([0, 1, 2], np.int16),
    "labels": np.array([0, 2, 2], np.int16),
    "classes": np.array(["cat", "dog", "bird"]),
}


def test_predictions(tmp_path):
    path = tmp_path / "predictions.npz"
    np.savez(path, **ARRAYS)
    good = [path.read_bytes()]

    def read(data: bytes) -> None:
        path.write_bytes(data)
        try:
            found = read_predictions(path)
        except KeyError:
            return  # of a run that predicted no classes
        assert found.confusion.sum() == len(found.labels) == len(found.wrong)

    fuzz("predictions", read, mutated(good, [b"labels.npy", b"classes.npy", b"'<i2'", b"(3,)"]), good)


@pytest.mark.parametrize(
    "change",
    [
        {"integer": np.array([0, 1, 3], np.int16)},
        {"labels": np.array([0, -1, 2], np.int16)},
        {"labels": np.array([0, 1], np.int16)},
        {"integer": np.array([0.0, 1.0, 2.0])},
        {"classes": np.array([1, 2, 3])},
    ],
)
def test_predictions_that_no_network_gives(tmp_path, change):
    np.savez(tmp_path / "predictions.npz", **{**ARRAYS, **change})
    with pytest.raises(FormatError):
        read_predictions(tmp_path / "predictions.npz")
