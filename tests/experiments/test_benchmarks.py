"""The benchmark compares like with like, and what it says of growth holds."""

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from maxexp.network.graph import build_network

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "benchmarks"


@pytest.fixture
def part(monkeypatch):
    """``part("growth")``: a module of the benchmark, whose folder is no package."""
    monkeypatch.syspath_prepend(FOLDER)

    def part(name: str) -> ModuleType:
        return importlib.import_module(name)

    return part


def test_the_plain_network_is_nascifarnet(part):
    network = part("plain").plain_nascifarnet()
    weights = sum(p.numel() for p in network.parameters() if p.dim() > 1)
    assert weights == 301_760
    assert sum(p.numel() for p in network.parameters()) - weights == 842
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_the_plain_quantized_network_computes_on_the_grid(part):
    network = part("plain").plain_nascifarnet()
    for layer in network:
        layer.quantize()
    inner = network[:3](torch.rand(2, 3, 8, 8) * 2 - 1) * 128
    assert torch.equal(inner, inner.round())
    assert inner.max() <= 127


def test_ratios_are_of_medians(part):
    memory = {"peak_mib": 1, "worker_mib": 0}
    turns = {("float", "plain"): [{"seconds": [4.0, 2.0, 3.0], **memory}]}
    turns["float", "maxexp"] = [{"seconds": [1.0, 0.5, 1.0], **memory}]
    table = part("training_speed").summarize(turns, images=12)
    assert table["float"]["plain"]["images_per_s"] == {"median": 4, "least": 3, "most": 6}
    assert table["float"]["plain"]["maxexp_is_faster_by"] == 3


def test_overhead_parts_steps_from_the_ends_of_epochs(part):
    """An epoch of 10 steps of 100 ms; maxexp takes 2 ms more for each and half a second at the end."""
    bare = {"step_s": [0.1] * 9, "epoch_s": [1.5]}
    ours = {"step_s": [0.102] * 9, "epoch_s": [2.02]}
    row = part("overhead").summarize({"bare": bare, "maxexp": ours}, steps=10)
    assert row["per_step"] == pytest.approx(0.02)
    assert row["per_epoch_s"] == pytest.approx(0.5)
    assert row["full_epoch"] == pytest.approx(0.02 + 0.5 / 35.1)


def test_a_line_is_found_and_a_curve_is_not(part):
    images = [100, 200, 400, 800]
    straight = part("growth").line({n: [1 + 0.01 * n] for n in images})
    assert straight["seconds_per_1000_images"] == pytest.approx(10)
    assert straight["fixed_seconds"] == pytest.approx(1)
    assert straight["worst_deviation"] < 1e-9
    assert part("growth").line({n: [1e-4 * n**2] for n in images})["worst_deviation"] > 0.1


def test_the_slope_of_memory_leaves_the_start_out(part):
    warming_up = [100.0, 300.0, 400.0, 400.0]
    assert part("growth").slope(warming_up + [400.0] * 4) == pytest.approx(0, abs=1e-9)
    assert part("growth").slope([100 + 3.0 * epoch for epoch in range(10)]) == pytest.approx(3)


def digits(compose_config, **keys):
    return replace(compose_config("dataset=digits").dataset, **keys)


def test_nothing_that_is_kept_grows_with_steps(part, compose_config, tmp_path):
    growth = part("growth")
    config = compose_config("model=digitsnet", "dataset=digits")
    network = build_network(config.model, config.dataset.shape)
    left = []
    for batch in (128, 32):
        folder = tmp_path / str(batch)
        folder.mkdir()
        dataset = digits(compose_config, limit=1024, cache_dir=str(folder / "cache"))
        left.append(growth.footprint(network, dataset, batch, folder))
    few, many = left
    assert (few.steps, many.steps) == (8, 32)
    assert many.metric_rows == few.metric_rows > 0
    assert many.run_files == few.run_files > 0
    assert many.cache_bytes == few.cache_bytes > 0
    assert many.database_bytes == few.database_bytes
    # Lightning's checkpoint counts steps, and larger numbers have more digits.
    assert many.run_bytes == pytest.approx(few.run_bytes, rel=0.01)


def test_readme_and_results_are_of_the_same_run(part):
    content = json.loads((FOLDER / "results.json").read_text())
    tables = (FOLDER / "README.md").read_text().split(part("bench").BEGIN)[1]
    assert f"commit {content['machine']['mlflow.source.git.commit'][:8]}" in tables


def made_up_results(part) -> dict:
    """Results of all parts, as a run with AI8X_TRAINING would give them."""
    turns, rates = {}, {"plain": [2.0, 2.2], "ai8x": [2.4, 2.3], "maxexp": [0.4, 0.41]}
    for phase in ("float", "qat"):
        for name, seconds in rates.items():
            turns[phase, name] = [{"seconds": seconds, "peak_mib": 900, "worker_mib": 300 * (name != "maxexp")}]
    spread = part("turns").spread
    both = {name: {"images_per_s": spread([n, n + 9])} for name, n in (("ai8x", 300), ("maxexp", 900))}
    steps = {"bare": {"step_s": [0.1], "epoch_s": [2.0]}, "maxexp": {"step_s": [0.102], "epoch_s": [2.4]}}
    start, growth = part("start"), part("growth")
    seconds = {"total_s": spread([8.0, 9.0]), "parts_s": dict.fromkeys(start.PARTS, 1.7)}
    line = growth.line({n: [0.2 + n / 1000] for n in (100, 200, 400, 800)})
    rows = [vars(growth.Footprint(steps, 23, 4096, 9, 10_000, 1000)) for steps in (8, 32)]
    memory = {"by_epoch": [900.0, 1000.0, 1000.0], "mib_per_epoch": 0.0}
    return {
        "training": part("training_speed").summarize(turns, images=400),
        "evaluation": {**both, "maxexp_is_faster_by": 3.0, "images": 1000, "same_class": 1000, "correct": 908},
        "start": {"first": seconds, "later": seconds},
        "overhead": {phase: part("overhead").summarize(steps, 18) for phase in ("float", "qat")},
        "growth": {
            "epochs": {"float": line, "qat": line},
            "record": rows,
            "memory_mib": {"float": memory, "qat": memory},
        },
    }


def test_results_become_tables_and_pictures(part, tmp_path):
    bench = part("bench")
    content = {**bench.origin(), "results": made_up_results(part)}
    bench.write(content, tmp_path / "all")
    readme = (tmp_path / "all" / "README.md").read_text()
    assert all(f"\n## {module.TITLE}\n" in readme for module in bench.PARTS.values())
    assert "the same class for 1000 of 1000 images, 908 of them correctly" in readme
    assert "| metric rows | 23 | 23 |" in readme
    assert json.loads((tmp_path / "all" / "results.json").read_text()) == content
    assert bench.with_tables(readme, bench.tables(content)) == readme
    assert {path.name for path in (tmp_path / "all").glob("*.png")} == {"results.png", "details.png"}
    bench.write({**content, "results": {"start": content["results"]["start"]}}, tmp_path / "one")
    assert {path.name for path in (tmp_path / "one").glob("*.png")} == {"details.png"}


def test_a_part_that_does_not_exist_is_refused(part):
    done = subprocess.run(
        [sys.executable, str(FOLDER / "bench.py"), "--parts", "training,speed"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parents[1])},
    )
    assert done.returncode == 2
    assert "no part speed; there are training, evaluation, start, overhead, growth" in done.stderr


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path, data_root):
    command = [sys.executable, str(FOLDER / "bench.py"), "--quick", "--output", str(tmp_path)]
    environment = {**os.environ, "MAXEXP_DATA": str(data_root), "PYTHONPATH": str(FOLDER.parents[1])}
    environment.pop("AI8X_TRAINING", None)
    subprocess.run(command, check=True, env=environment, cwd=tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())["results"]
    assert set(results) == {"training", "start", "overhead", "growth"}
    assert all(row["plain"]["maxexp_is_faster_by"] > 1 for row in results["training"].values())
    few, many = results["growth"]["record"]
    assert few["metric_rows"] == many["metric_rows"]
    assert all(np.isfinite(row["worst_deviation"]) for row in results["growth"]["epochs"].values())
    for picture in ("results.png", "details.png"):
        assert (tmp_path / picture).stat().st_size > 5000


def test_two_commits_are_compared_by_medians(part):
    against = part("against")
    values = {"images/s": [100.0, 120.0, 110.0], "overhead, % per step": [2.0]}
    found = {(phase, name): values for phase in against.PHASES for name in ("before", "now")}
    lines = against.table(found, ["before", "now"]).splitlines()
    assert "110 (100 to 120) | 110 (100 to 120) | 1.000" in lines[2] and len(lines) == 2 + 2 * len(against.PHASES)
    loops = {"bare": {"step_s": [0.1, 0.2, 0.1]}, "maxexp": {"step_s": [0.11, 0.3, 0.11]}}
    assert against.overhead(loops) == pytest.approx(0.1)
