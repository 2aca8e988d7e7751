"""The synthesize stage of whole runs: what it records, and what is left when it fails."""

import json
import os
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from maxexp.base.errors import ConfigError, SynthesisError
from maxexp.synthesis import ai8x

ESTIMATE = {"cost.json", "memory_map.png", "network.yaml"}


def test_a_trained_network_has_firmware(quickstart, store):
    assert store.artifacts(quickstart, "synthesis") == {*ESTIMATE, "synthesis.json", "digitsnet"}
    files = store.artifacts(quickstart, "synthesis/digitsnet")
    assert {"main.c", "cnn.c", "cnn.h", "weights.h", "sampledata.h", "sampleoutput.h", "Makefile"} <= files
    report = json.loads(store.artifact(quickstart, "synthesis/synthesis.json").read_text())
    assert (report["cycles"], len(report["known_answer"])) == (quickstart.data.metrics["hw/cycles"], 10)
    # The figures are those of our model: nothing ran, unless there is a checkout whose synthesizer is the referee.
    refereed = "AI8X_SYNTHESIS" in os.environ
    assert quickstart.data.tags["hw.source"] == ("synthesized" if refereed else "estimated")


def test_firmware_is_written_only_where_it_is_wanted(run_here, store):
    untrained = run_here("stages=[synthesize]")
    assert store.artifacts(untrained, "synthesis") == ESTIMATE
    other_part = run_here("stages=[synthesize]", "device=max78002", "synthesis=native")
    assert store.artifacts(other_part, "synthesis") == ESTIMATE


def test_a_referee_that_is_not_there(run_here, refused_here, tmp_path, caplog):
    """It is missed where it must look at firmware, and mentioned where it may."""
    short = ("trainer.max_epochs=1", "stages=[train,synthesize]", f"synthesis.path={tmp_path}")
    refused_here(*short, "synthesis.referee=always", error=ConfigError, match="no checkout of ai8x-synthesis")
    run = run_here(*short)
    assert run.data.tags["hw.source"] == "estimated"
    assert any(text.startswith("the maker's synthesizer does not check our firmware: ") for text in caplog.messages)


def test_an_estimate_has_map_and_yaml(quickstart, store):
    layers = yaml.safe_load(store.artifact(quickstart, "synthesis/network.yaml").read_text())["layers"]
    assert [layer["operation"] for layer in layers] == ["conv2d", "conv2d", "mlp"]
    assert min(Image.open(store.artifact(quickstart, "synthesis/memory_map.png")).size) > 300


def test_copies_for_sums_are_in_the_cost(run_here, store):
    conv = "op: conv2d, out_channels"
    end = "fc2: {op: linear, out_features: 10}"
    layers = f"{{a: {{{conv}: 8}}, b: {{{conv}: 8}}, c: {{{conv}: 4, inputs: [a, b], eltwise: add}}, {end}}}"
    others = [f"~model.layers.{name}" for name in ("conv1", "conv2", "fc")]
    run = run_here("stages=[synthesize]", f"+model.layers={layers}", *others)
    cost = json.loads(store.artifact(run, "synthesis/cost.json").read_text())
    assert [layer["name"] for layer in cost["layers"]] == ["a", "b", "a-for-c", "c", "fc2"]
    assert 1 + sum(layer["cycles"] for layer in cost["layers"]) == run.data.metrics["hw/cycles"]


def test_a_missing_checkout_is_refused_before_the_training(refused_here, monkeypatch):
    monkeypatch.delenv(ai8x.CHECKOUT_VARIABLE, raising=False)
    refused_here("synthesis=ai8x", error=ConfigError, match="synthesis=ai8x: needs the maker's synthesizer")
    refused_here("synthesis=ai8x", "stages=[evaluate]", error=ConfigError, match="need a trained network")


def test_what_a_failed_synthesis_leaves(run_here, store, tmp_path, monkeypatch):
    """The other stages' results, what was sent to the synthesizer, and what it said."""
    checkout = tmp_path / "checkout"
    for name in ("izer", "assets"):
        (checkout / name).mkdir(parents=True)
    (checkout / "ai8xize.py").write_text("import sys; sys.exit('ERROR: Layer 1: out of order')")
    monkeypatch.setattr(ai8x, "environment_python", lambda interpreter: Path(sys.executable))
    choice = ["synthesis=ai8x", f"synthesis.path={checkout}", "trainer.max_epochs=4"]
    run = run_here(*choice, error=SynthesisError, match=r"refuses digitsnet: layer 1 \(conv2\): out of order")
    assert run.data.tags["stage.synthesize"] == "failed" and run.data.tags["stage.evaluate"] == "done"
    assert "hw.source" not in run.data.tags and "hw/cycles" not in run.data.metrics
    assert run.data.metrics["test/accuracy_integer"] > 0.5
    assert {"network.yaml", "sample.npy", "errors.txt"} <= store.artifacts(run, "synthesis")


@pytest.mark.ai8x
def test_a_synthesized_run(run_here, store, checkout):
    estimated = run_here("stages=[synthesize]")
    run = run_here("stages=[synthesize]", "synthesis=ai8x")
    assert run.data.metrics == estimated.data.metrics
    assert (estimated.data.tags["hw.source"], run.data.tags["hw.source"]) == ("estimated", "synthesized")
    assert len(run.data.tags["ai8x.version"]) == 40
    report = json.loads(store.artifact(run, "synthesis/synthesis.json").read_text())
    assert report["cycles"] == run.data.metrics["hw/cycles"]
    assert len(report["known_answer"]) == 10
    assert {"main.c", "cnn.c", "weights.h", "log.txt"} <= store.artifacts(run, "synthesis/digitsnet")


@pytest.mark.ai8x
def test_the_referee_confirms_our_firmware(run_here, store, checkout):
    run = run_here("trainer.max_epochs=1", "stages=[train,synthesize]", f"synthesis.path={checkout}")
    assert run.data.tags["hw.source"] == "synthesized" and len(run.data.tags["ai8x.version"]) == 40
    assert store.artifacts(run, "synthesis") == {*ESTIMATE, "synthesis.json", "digitsnet"}
    assert "layers.h" in store.artifacts(run, "synthesis/digitsnet")
