"""Whole runs on the bundled digits."""

import gc

import pytest

import maxexp.data.run_data
from maxexp.base import garbage
from maxexp.schema.config import to_plain
from tests.conftest import composed

SHORT = "trainer.max_epochs=4"


def test_a_float_run_claims_nothing_about_the_chip(run_here):
    run = run_here("quantization=float", SHORT)
    assert {"test/accuracy_float", "hw/macs"} <= set(run.data.metrics)
    assert not {"test/accuracy_integer", "hw/cycles", "hw/latency_us"} & set(run.data.metrics)
    # As in the deck, a floating-point network takes 4 bytes per parameter.
    memory = run.data.metrics["hw/weight_bytes"] + run.data.metrics["hw/bias_bytes"]
    assert memory == 4 * run.data.metrics["hw/parameters"]
    assert "hw.source" not in run.data.tags
    assert run.data.tags["stage.quantize"] == "skipped"


def test_ptq_after_training_in_one_run(run_here):
    run = run_here("quantization=ptq", "trainer.max_epochs=6")
    assert run.data.metrics["test/accuracy_integer"] > 0.9


def test_mixed_precision_costs_fewer_bytes(run_here):
    run = run_here("quantization=mixed", "trainer.max_epochs=8")
    metrics = run.data.metrics
    assert metrics["hw/weight_bytes"] == 144 + 16 * 32 * 9 // 2 + 32 * 16 * 10
    assert metrics["test/accuracy_integer"] > 0.85


def test_a_single_epoch_of_quantized_training_works(run_here):
    assert run_here("trainer.max_epochs=1").data.metrics["test/accuracy_integer"] > 0.2


def test_the_cost_alone_needs_no_data(run_here, tmp_path):
    missing = [f"dataset.root={tmp_path}/nowhere", "dataset.download=false"]
    run = run_here("model=nascifarnet", "dataset=cifar10", "stages=[synthesize]", *missing)
    assert run.data.metrics["hw/cycles"] == 228_217
    assert run.data.metrics["hw/latency_us"] == pytest.approx(4564.34)


def test_the_max78002_has_no_cycle_model(run_here):
    run = run_here("device=max78002", "model=nascifarnet", "model.width=2", "dataset=cifar10", "stages=[synthesize]")
    assert "hw/weight_bytes" in run.data.metrics
    assert "hw/cycles" not in run.data.metrics


def test_passwords_stay_out_of_the_record(store):
    from maxexp.tracking.flatten import masked

    config = composed("tracking.uri=http://bob:secret@127.0.0.1:5000")
    assert masked(to_plain(config))["tracking.uri"] == "http://127.0.0.1:5000"


def test_nothing_is_chosen_on_the_test_split(run_here, monkeypatch):
    """Training, the choice of its best epoch and quantization end well where the test split cannot be read."""
    read = maxexp.data.run_data.load_split

    def without_test(config, split):
        assert split != "test", "the test split was read before the evaluation"
        return read(config, split)

    monkeypatch.setattr(maxexp.data.run_data, "load_split", without_test)
    for method in ("qat", "ptq"):
        stages = "stages=[train,quantize,synthesize]"
        run = run_here(stages, f"quantization={method}", "trainer.max_epochs=2", "dataset.limit=200")
        assert run.info.status == "FINISHED"
        assert run.data.metrics["val/best_accuracy"] > 0
        assert not any(key.startswith("test/") for key in run.data.metrics)


def test_garbage_is_collected_again_once_all_is_imported(run_here):
    garbage.pause()  # as the command does while it imports
    try:
        run_here("stages=[synthesize]")
        assert gc.isenabled()
    finally:
        garbage.resume()
