"""Runs that start from the network of an earlier run."""

import json

import pytest


@pytest.mark.parametrize("name", ["checkpoints/qat_best.pth.tar", "quantization/digitsnet-q.pth.tar"])
def test_a_checkpoint_of_the_run_evaluates_to_the_same_integers(name, quickstart, store, run_here):
    file = store.artifact(quickstart, name)
    again = run_here(f"checkpoint={file}", "stages=[evaluate,synthesize]")
    for key in ("test/accuracy_integer", "hw/cycles", "hw/weight_bytes"):
        assert again.data.metrics[key] == quickstart.data.metrics[key]
    assert again.data.tags["stage.train"] == "skipped"


def test_ptq_follows_a_float_checkpoint(quickstart, store, run_here):
    file = store.artifact(quickstart, "checkpoints/float_best.pth.tar")
    run = run_here(f"checkpoint={file}", "stages=[quantize,evaluate,synthesize]", "quantization=ptq")
    metrics = run.data.metrics
    assert abs(metrics["test/accuracy_integer"] - metrics["test/accuracy_float"]) < 0.01
    assert run.data.tags["quantization"] == "ptq"


def test_a_sensitivity_report_proposes_bits_that_the_next_run_takes(quickstart, store, run_here):
    file = store.artifact(quickstart, "checkpoints/float_best.pth.tar")
    quantize = (f"checkpoint={file}", "stages=[quantize,synthesize]", "quantization=ptq")
    run = run_here(*quantize, "quantization.sensitivity=true", "quantization.weight_budget=6000")
    assert {"sensitivity.json", "sensitivity.md", "sensitivity.png"} <= store.artifacts(run, "quantization")
    report = json.loads(store.artifact(run, "quantization/sensitivity.json").read_text())
    assert report["proposal"]["weight_bytes"] <= 6000
    assert report["validation_images"] == 240
    assert {entry.tags[0].value for entry in run.inputs.dataset_inputs} == {"train", "validation"}
    override = report["proposal"]["override"].strip("'")
    assert run_here(*quantize, override).data.metrics["hw/weight_bytes"] == report["proposal"]["weight_bytes"]


def test_bits_can_be_chosen_on_validation_images(quickstart, store, run_here):
    """What a network is worth after quantization is known without the test split."""
    file = store.artifact(quickstart, "checkpoints/float_best.pth.tar")
    quantize = (f"checkpoint={file}", "stages=[quantize]", "quantization=ptq")
    accuracy = {
        bits: run_here(*quantize, f"quantization.weight_bits={bits}").data.metrics["val/accuracy_integer"]
        for bits in (8, 1)
    }
    assert accuracy[8] > 0.95 > accuracy[1] + 0.1
    assert abs(quickstart.data.metrics["val/accuracy_integer"] - quickstart.data.metrics["val/best_accuracy"]) < 0.02


def test_training_goes_on_from_a_checkpoint(quickstart, store, run_here):
    file = store.artifact(quickstart, "checkpoints/qat_best.pth.tar")
    run = run_here(f"checkpoint={file}", "trainer.max_epochs=1", "recipe.qat_learning_rate=1e-5")
    assert run.data.metrics["test/accuracy_integer"] > 0.95
    assert len(store.curve(run, "val/accuracy")) == 1


def test_a_quantized_checkpoint_is_trained_on_with_the_bits_asked_for(quickstart, store, run_here):
    file = store.artifact(quickstart, "checkpoints/qat_best.pth.tar")
    run = run_here(f"checkpoint={file}", "trainer.max_epochs=2", "quantization.weight_bits=4")
    assert run.data.tags["weight_bits"] == "4"
    assert run.data.metrics["hw/weight_bytes"] == 9872 / 2
    assert run.data.metrics["train/qat_epoch"] == 0  # a new network would begin in floating point


def test_a_run_quantized_after_training_is_evaluated_as_integers(run_here):
    trained = run_here("quantization=ptq", "trainer.max_epochs=2", "stages=[train,quantize]")
    stages = ("quantization=ptq", "stages=[evaluate,synthesize]")
    run = run_here(*stages, f"checkpoint=run:{trained.info.run_id}")
    assert "test/accuracy_integer" in run.data.metrics and "hw/cycles" in run.data.metrics
