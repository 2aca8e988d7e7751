"""Firmware of networks that are loaded from Python."""

import pytest

import maxexp
from maxexp.base.errors import CheckpointError, ConfigError


def test_what_writes_no_firmware_is_told(tmp_path):
    model = maxexp.load("zoo:cifar10_cmsisnnet")
    with pytest.raises(ConfigError, match="synthesis=estimate: gives figures and no firmware"):
        model.deploy(tmp_path / "firmware", ["synthesis=estimate"])
    assert not (tmp_path / "firmware").exists()
    with pytest.raises(ConfigError, match="needs the maker's synthesizer|no checkout"):
        model.deploy(tmp_path / "firmware", ["synthesis=ai8x", f"synthesis.path={tmp_path}"])
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(ConfigError, match="there is something in this folder"):
        model.deploy(tmp_path)


def test_a_project_without_other_tools(tmp_path, monkeypatch):
    """And without the data set: the names of its classes are known."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAXEXP_DATA", raising=False)
    monkeypatch.delenv("AI8X_SYNTHESIS", raising=False)
    folder = maxexp.load("zoo:cifar10_cmsisnnet").deploy(tmp_path / "firmware")
    assert {"Makefile", "main.c", "weights.h"} <= {each.name for each in folder.iterdir()}
    assert '"airplane", "automobile"' in (folder / "network.h").read_text()


def test_a_network_in_floating_point_is_refused(tmp_path):
    run = maxexp.train(maxexp.network("digitsnet", dataset="digits"), epochs=1, track=False)
    with pytest.raises(CheckpointError, match="digitsnet: is in floating point, .*; quantize it first"):
        run.network.deploy(tmp_path / "firmware")


@pytest.mark.ai8x
def test_a_project_by_the_makers_synthesizer(checkout, tmp_path):
    model = maxexp.load("zoo:cifar10_cmsisnnet")
    folder = model.deploy(tmp_path / "firmware", ["synthesis=ai8x", f"synthesis.path={checkout}"])
    assert folder == tmp_path / "firmware" and {"main.c", "cnn.c", "weights.h"} <= {x.name for x in folder.iterdir()}
