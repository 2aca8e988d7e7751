"""The training benchmark compares like with like."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "benchmarks"


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_plain_network_is_nascifarnet():
    network = load("plain").plain_nascifarnet()
    weights = sum(p.numel() for p in network.parameters() if p.dim() > 1)
    assert weights == 301_760
    assert sum(p.numel() for p in network.parameters()) - weights == 842
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_the_plain_quantized_network_computes_on_the_grid():
    network = load("plain").plain_nascifarnet()
    for layer in network:
        layer.quantize()
    inner = network[:3](torch.rand(2, 3, 8, 8) * 2 - 1) * 128
    assert torch.equal(inner, inner.round())
    assert inner.max() <= 127


def test_ratios_are_of_medians():
    turns = {("float", "plain"): [{"seconds": [4.0, 2.0, 3.0], "peak_mib": 1}]}
    turns["float", "maxexp"] = [{"seconds": [1.0, 0.5, 1.0], "peak_mib": 2}]
    table = load("bench").summarize(turns, images=12)
    assert table["float"]["plain"]["images_per_s"] == 4
    assert table["float"]["plain"]["maxexp_is_faster_by"] == 3


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path, data_root):
    sizes = ["--images", "256", "--epochs", "2", "--rounds", "1", "--output", str(tmp_path)]
    environment = {**os.environ, "MAXEXP_DATA": str(data_root), "PYTHONPATH": str(FOLDER.parents[1])}
    environment.pop("AI8X_TRAINING", None)
    subprocess.run([sys.executable, str(FOLDER / "bench.py"), *sizes], check=True, env=environment)
    results = json.loads((tmp_path / "results.json").read_text())["results"]
    assert set(results) == {"float", "qat"}
    assert all(row["plain"]["maxexp_is_faster_by"] > 1 for row in results.values())
    assert (tmp_path / "results.png").stat().st_size > 5000
