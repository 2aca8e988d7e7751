"""What every test of the data starts from."""

import pytest

from maxexp.data.config import DatasetConfig, DatasetSource


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch, tmp_path):
    """No test finds data, or writes a cache, outside of its own folder."""
    monkeypatch.delenv("MAXEXP_DATA", raising=False)
    monkeypatch.setenv("MAXEXP_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cifar10() -> DatasetConfig:
    """CIFAR-10 as conf/dataset/cifar10.yaml has it, but never downloaded."""
    return DatasetConfig("cifar10", DatasetSource.cifar10, 3, 32, 32, 10, 5000, download=False)


@pytest.fixture
def digits() -> DatasetConfig:
    """The digits that come with scikit-learn."""
    return DatasetConfig("digits", DatasetSource.digits, 1, 8, 8, 10, 240)
