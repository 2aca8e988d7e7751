"""What the default run records, and that its parts agree with each other."""

import json

import pytest
import torch
from PIL import Image

from maxexp.quantization.files.checkpoint import Kind, read_checkpoint
from maxexp.schema.config import to_plain
from maxexp.tracking.flatten import flatten
from maxexp.training.hardware import _ALL_THREADS
from tests.conftest import composed


def test_quickstart_ends_well_within_its_promise(quickstart):
    assert quickstart.info.status == "FINISHED"
    assert quickstart.data.metrics["test/accuracy_integer"] > 0.95


def test_every_metric_of_the_run_record(quickstart):
    expected = {
        "train/loss", "train/accuracy", "train/images_per_s", "val/loss", "val/accuracy", "val/accuracy_top5",
        "val/best_accuracy", "val/accuracy_integer", "test/accuracy_float", "test/accuracy_quantized",
        "test/accuracy_integer", "hw/parameters", "hw/macs", "hw/ops", "hw/weight_bytes", "hw/bias_bytes",
        "hw/data_bytes", "hw/cycles", "hw/latency_us", "hw/images_per_s", "hw/macs_per_cycle",
    }  # fmt: skip
    assert expected <= set(quickstart.data.metrics)


def test_metrics_agree_with_each_other(quickstart):
    m = quickstart.data.metrics
    assert m["hw/latency_us"] == pytest.approx(m["hw/cycles"] / 50)
    assert m["hw/images_per_s"] == pytest.approx(1e6 / m["hw/latency_us"])
    assert m["hw/macs_per_cycle"] == pytest.approx(m["hw/macs"] / m["hw/cycles"])
    assert m["hw/parameters"] == m["hw/weight_bytes"] + m["hw/bias_bytes"]
    assert m["val/best_accuracy"] >= m["val/accuracy"]


def test_tags_of_the_run_record(quickstart):
    tags = quickstart.data.tags
    assert tags["hw.source"] == "estimated"
    assert (tags["train.threads"], quickstart.data.params["trainer.threads"]) == (str(_ALL_THREADS), "null")
    assert (tags["model"], tags["dataset"], tags["quantization"]) == ("digitsnet", "digits", "qat")
    done = {stage: tags[f"stage.{stage}"] for stage in ("train", "quantize", "evaluate", "synthesize", "deploy")}
    assert done == {
        "train": "done",
        "quantize": "done",
        "evaluate": "done",
        "synthesize": "done",
        "deploy": "skipped",
    }
    assert {"maxexp.version", "mlflow.source.git.commit", "git.dirty"} <= set(tags)
    assert "| test accuracy, integers" in tags["mlflow.note.content"]


def test_params_are_the_whole_configuration(quickstart):
    params = quickstart.data.params
    known = flatten(to_plain(composed("+experiment=quickstart")))
    different = {key for key, value in known.items() if params[key] != value}
    assert different <= {"tracking.uri", "tracking.experiment"}
    assert set(params) == set(known)


def test_data_are_named_with_their_digests(quickstart):
    inputs = {entry.tags[0].value: entry.dataset for entry in quickstart.inputs.dataset_inputs}
    assert set(inputs) == {"train", "validation", "test"}
    assert len({dataset.digest for dataset in inputs.values()}) == 3


def test_curves_have_one_point_per_epoch(quickstart, store):
    for key in ("train/loss", "val/accuracy"):
        assert [step for step, _ in store.curve(quickstart, key)] == list(range(20))


def test_artifacts(quickstart, store):
    assert {"resolved.yaml", "overrides.yaml", "requirements.txt"} <= store.artifacts(quickstart, "config")
    assert {"float_best.pth.tar", "qat_best.pth.tar"} <= store.artifacts(quickstart, "checkpoints")
    assert store.artifacts(quickstart, "quantization") == {"digitsnet-q.pth.tar"}
    cost = json.loads(store.artifact(quickstart, "synthesis/cost.json").read_text())
    assert sum(layer["cycles"] for layer in cost["layers"]) + 1 == quickstart.data.metrics["hw/cycles"]


@pytest.mark.parametrize("name", ["learning_curves.png", "confusion_matrix.png"])
def test_pictures_show_something(name, quickstart, store):
    picture = Image.open(store.artifact(quickstart, f"plots/{name}")).convert("RGB")
    assert min(picture.size) > 300
    assert len(picture.getcolors(maxcolors=2**24)) > 20


def test_checkpoints_are_in_the_format_of_ai8x(quickstart, store):
    kinds = {
        "checkpoints/float_best.pth.tar": Kind.float,
        "checkpoints/qat_best.pth.tar": Kind.quantized,
        "quantization/digitsnet-q.pth.tar": Kind.integer,
    }
    for path, kind in kinds.items():
        file = store.artifact(quickstart, path)
        assert read_checkpoint(file).kind is kind
        assert {"epoch", "arch", "state_dict"} <= set(torch.load(file, weights_only=True))


def test_a_run_is_named_by_what_was_set(quickstart):
    from maxexp.run.execution import run_name

    typed = ["model=cmsisnnet", "dataset=cifar10", "seed=3", "model.width=0.5", "tracking.uri=sqlite:///x"]
    typed += ["synthesis.path=/x", "board=max78000fthr", "board.connection.port=/dev/ttyACM1", "trainer.threads=1"]
    config = composed(*typed)
    assert run_name(config, typed) == "cmsisnnet-cifar10-qat seed=3 model.width=0.5"
    assert quickstart.info.run_name == "digitsnet-digits-qat"
