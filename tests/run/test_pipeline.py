"""Whole runs on the bundled digits: what they record, and how they end."""

import gc
import json
import re

import pytest
import torch
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from PIL import Image

import maxexp.data.run_data
from maxexp.base import garbage
from maxexp.base.errors import CheckpointError, ConfigError, DataError, DeviceError, TrainingError
from maxexp.quantization.files.checkpoint import Kind, read_checkpoint
from maxexp.run.composition import described_network
from maxexp.schema.config import to_plain
from maxexp.tracking import outbox
from maxexp.tracking.flatten import flatten
from maxexp.training.hardware import _ALL_THREADS
from tests.conftest import composed

SHORT = "trainer.max_epochs=4"


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


def test_a_float_run_claims_nothing_about_the_chip(run_here):
    run = run_here("quantization=float", SHORT)
    assert {"test/accuracy_float", "hw/macs"} <= set(run.data.metrics)
    assert not {"test/accuracy_integer", "hw/cycles", "hw/latency_us"} & set(run.data.metrics)
    # As in the deck, a floating-point network takes 4 bytes per parameter.
    memory = run.data.metrics["hw/weight_bytes"] + run.data.metrics["hw/bias_bytes"]
    assert memory == 4 * run.data.metrics["hw/parameters"]
    assert "hw.source" not in run.data.tags
    assert run.data.tags["stage.quantize"] == "skipped"


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


def test_ptq_after_training_in_one_run(run_here):
    run = run_here("quantization=ptq", "trainer.max_epochs=6")
    assert run.data.metrics["test/accuracy_integer"] > 0.9


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


def test_mixed_precision_costs_fewer_bytes(run_here):
    run = run_here("quantization=mixed", "trainer.max_epochs=8")
    metrics = run.data.metrics
    assert metrics["hw/weight_bytes"] == 144 + 16 * 32 * 9 // 2 + 32 * 16 * 10
    assert metrics["test/accuracy_integer"] > 0.85


def test_a_single_epoch_of_quantized_training_works(run_here):
    assert run_here("trainer.max_epochs=1").data.metrics["test/accuracy_integer"] > 0.2


def test_training_goes_on_from_a_checkpoint(quickstart, store, run_here):
    file = store.artifact(quickstart, "checkpoints/qat_best.pth.tar")
    run = run_here(f"checkpoint={file}", "trainer.max_epochs=1", "recipe.qat_learning_rate=1e-5")
    assert run.data.metrics["test/accuracy_integer"] > 0.95
    assert len(store.curve(run, "val/accuracy")) == 1


def test_the_cost_alone_needs_no_data(run_here, tmp_path):
    missing = [f"dataset.root={tmp_path}/nowhere", "dataset.download=false"]
    run = run_here("model=nascifarnet", "dataset=cifar10", "stages=[synthesize]", *missing)
    assert run.data.metrics["hw/cycles"] == 228_217
    assert run.data.metrics["hw/latency_us"] == pytest.approx(4564.34)


def test_the_max78002_has_no_cycle_model(run_here):
    run = run_here("device=max78002", "model=nascifarnet", "model.width=2", "dataset=cifar10", "stages=[synthesize]")
    assert "hw/weight_bytes" in run.data.metrics
    assert "hw/cycles" not in run.data.metrics


def test_missing_data_are_told_with_a_remedy(refused_here, tmp_path):
    places = [f"dataset.root={tmp_path}", "dataset.download=false"]
    refused_here("model=cmsisnnet", "dataset=cifar10", *places, error=DataError, match="dataset.root")


def images(folder, classes):
    """Noise pictures in class folders."""
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            color = (120 * label + number, 40, 200 - 90 * label)
            Image.new("RGB", (20, 16), color).save(folder / name / f"{number}.png")


OWN = ["model=cmsisnnet", "model.width=0.25", "dataset=images", "dataset.num_classes=2", "trainer.max_epochs=2"]


def test_own_pictures_train(run_here, tmp_path):
    images(tmp_path / "pictures", ["cats", "dogs"])
    run = run_here(*OWN, f"dataset.root={tmp_path}/pictures", "trainer.batch_size=8")
    assert run.data.metrics["test/accuracy_integer"] >= 0.5


def test_missing_test_pictures_are_noticed_before_training(refused_here, tmp_path):
    images(tmp_path / "pictures" / "train", ["cats", "dogs"])
    refused_here(*OWN, f"dataset.root={tmp_path}/pictures", error=DataError, match="test/<class>/")


def test_a_broken_test_picture_is_noticed_before_training(refused_here, tmp_path):
    images(tmp_path / "pictures", ["cats", "dogs"])
    (tmp_path / "pictures" / "dogs" / "5.png").write_bytes(b"cut short")  # by its name it is for the test
    refused_here(*OWN, f"dataset.root={tmp_path}/pictures", error=DataError, match="dogs/5.png is not a readable")


def test_a_quantized_checkpoint_is_trained_on_with_the_bits_asked_for(quickstart, store, run_here):
    file = store.artifact(quickstart, "checkpoints/qat_best.pth.tar")
    run = run_here(f"checkpoint={file}", "trainer.max_epochs=2", "quantization.weight_bits=4")
    assert run.data.tags["weight_bits"] == "4"
    assert run.data.metrics["hw/weight_bytes"] == 9872 / 2
    assert run.data.metrics["train/qat_epoch"] == 0  # a new network would begin in floating point


def test_a_checkpoint_that_does_not_fit_is_refused_before_its_stages(refused_here, tmp_path):
    from maxexp.network.graph import build_network
    from maxexp.network.module import NetworkModule
    from maxexp.quantization.files.checkpoint import write_module

    wide = ["model=nascifarnet", "model.width=2", "dataset=cifar10"]
    config = composed(*wide)
    write_module(tmp_path / "w.pth.tar", NetworkModule(build_network(config.model, (3, 32, 32))), 0, {})
    stages = ["stages=[quantize,evaluate]", "quantization=ptq", f"dataset.root={tmp_path}/nowhere"]
    refused_here(*wide, *stages, f"checkpoint={tmp_path}/w.pth.tar", error=DeviceError, match="over the 442,368")


def test_passwords_stay_out_of_the_record(store):
    from maxexp.tracking.flatten import masked

    config = composed("tracking.uri=http://bob:secret@127.0.0.1:5000")
    assert masked(to_plain(config))["tracking.uri"] == "http://127.0.0.1:5000"


def test_a_run_is_named_by_what_was_set(quickstart):
    from maxexp.run.execution import run_name

    typed = ["model=cmsisnnet", "dataset=cifar10", "seed=3", "model.width=0.5", "tracking.uri=sqlite:///x"]
    typed += ["synthesis.path=/x", "board=max78000fthr", "board.connection.port=/dev/ttyACM1", "trainer.threads=1"]
    config = composed(*typed)
    assert run_name(config, typed) == "cmsisnnet-cifar10-qat seed=3 model.width=0.5"
    assert quickstart.info.run_name == "digitsnet-digits-qat"


def test_a_corrupt_parquet_file_fails_the_run_with_its_name(run_here, tmp_path):
    (tmp_path / "cifar10").mkdir()
    for name in ("train", "test"):
        (tmp_path / "cifar10" / f"{name}-00000-of-00001.parquet").write_bytes(b"PAR1 cut short")
    data = f"dataset.root={tmp_path}"
    run = run_here(
        "model=cmsisnnet", "dataset=cifar10", data, error=DataError, match=r"train-00000-of-00001\.parquet"
    )
    assert run.info.status == "FAILED"


MEASURED = ["quantization=ptq", "quantization.sensitivity=true"]
ON_BOARD = ["synthesis=ai8x", "board=emulated", "stages=[synthesize,deploy]"]
ZOO_TEACHER = "recipe.distillation.checkpoint=zoo:cifar10_teacher"


@pytest.mark.parametrize(
    ("overrides", "error", "match"),
    [
        (["checkpoint={qat}", "model=cmsisnnet", "dataset=cifar10"], CheckpointError, "not of the network cmsisnnet"),
        (["checkpoint=nowhere.pth.tar"], CheckpointError, "no such file"),
        (["checkpoint={float}", "stages=[quantize,evaluate]"], ConfigError, "quantization=ptq"),
        (["checkpoint={integer}"], ConfigError, "cannot be trained"),
        (["checkpoint={integer}", "stages=[evaluate]", "quantization=float"], ConfigError, "quantized network"),
        (["checkpoint={qat}", "stages=[train]", "quantization=float"], ConfigError, "quantization=qat"),
        (["checkpoint={qat}", "stages=[train]", "quantization=ptq"], ConfigError, "quantization=qat"),
        (["checkpoint={garbage}"], CheckpointError, "not a readable checkpoint"),
        (["stages=[evaluate]"], ConfigError, "checkpoint=PATH"),
        (["quantization=ptq", "stages=[train,synthesize]", SHORT], ConfigError, "stage quantize; add it"),
        (["checkpoint={qat}", "stages=[evaluate]", "quantization.weight_bits=2"], ConfigError, "2 bits.*with 8"),
        (["checkpoint={integer}", "stages=[evaluate]", "quantization.layer_bits={first:4}"], ConfigError, "4 bits"),
        (["quantization=ptq", "quantization.sensitivity=true", "quantization.weight_budget=9"], ConfigError, "1 bit"),
        ([*MEASURED, "checkpoint={qat}", "stages=[quantize]"], ConfigError, "on a floating-point network"),
        ([*MEASURED, "checkpoint={float}", "stages=[evaluate]"], ConfigError, "by the stage quantize"),
        (["checkpoint={qat}", "stages=[train]", "quantization.start_epoch=1"], ConfigError, "quantized already"),
        ([*ON_BOARD, "checkpoint={float}"], ConfigError, "the chip cannot run; add quantize"),
        (["recipe=distill", "augmentation.normalize=null"], ConfigError, "normalize=null.*recipe=sgd"),
        (["recipe=distill", ZOO_TEACHER], ConfigError, r"recipe\.distillation\.model\.layers\."),
    ],
)
def test_impossible_combinations_leave_no_run(overrides, error, match, quickstart, store, refused_here, tmp_path):
    files = {
        "qat": store.artifact(quickstart, "checkpoints/qat_best.pth.tar"),
        "float": store.artifact(quickstart, "checkpoints/float_best.pth.tar"),
        "integer": store.artifact(quickstart, "quantization/digitsnet-q.pth.tar"),
        "garbage": tmp_path / "garbage.pth.tar",
    }
    files["garbage"].write_bytes(b"no checkpoint at all")
    filled = [re.sub(r"{(\w+)}", lambda found: str(files[found[1]]), override) for override in overrides]
    refused_here(*filled, error=error, match=match)


def test_a_training_that_diverges_fails_the_run(run_here):
    wild = ("recipe.learning_rate=1e18", "recipe.optimizer=sgd", SHORT)
    run = run_here(*wild, error=TrainingError, match="epoch 1.*learning_rate")
    assert (run.info.status, run.data.tags["stage.train"]) == ("FAILED", "failed")


def test_what_was_computed_before_a_failure_is_kept(quickstart, store, run_here, monkeypatch):
    def broken(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr("maxexp.run.recorded_evaluation.evaluate_module", broken)
    run = run_here(SHORT, error=RuntimeError, match="disk full")
    assert run.info.status == "FAILED"
    tags = {stage: run.data.tags[f"stage.{stage}"] for stage in ("train", "quantize", "evaluate")}
    assert tags == {"train": "done", "quantize": "done", "evaluate": "failed"}
    assert store.artifacts(run, "quantization") == {"digitsnet-q.pth.tar"}
    assert len(store.curve(run, "val/accuracy")) == 4


def test_a_store_that_is_away_over_the_end_of_a_phase_ends_no_training(run_here, store, monkeypatch, tmp_path):
    """The requests after the first epoch fail, until long after the second one, which ends the phase."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(outbox, "LEAST_PAUSE_S", 0.0)
    monkeypatch.setattr(outbox, "WORK_PER_ATTEMPT", 0.0)
    failed: list[str] = []
    seen: list[str] = []

    def fragile(method):
        def call(client, *arguments, **named):
            seen.append(f"{method.__name__}{arguments[1:]}")
            if any("resume-0.ckpt" in each for each in seen) and len(failed) < 20:
                failed.append(seen[-1])
                raise MlflowException("API request to http://server failed")
            return method(client, *arguments, **named)

        return call

    for name in ("get_run", "get_metric_history", "log_artifact", "log_batch", "set_terminated"):
        monkeypatch.setattr(MlflowClient, name, fragile(getattr(MlflowClient, name)))
    run = run_here("trainer.max_epochs=4", "stages=[train,quantize,evaluate]")
    assert len(failed) == 20
    assert run.info.status == "FINISHED"
    assert store.artifacts(run, "checkpoints") == {"float_best.pth.tar", "qat_best.pth.tar"}
    assert [step for step, _ in store.curve(run, "val/accuracy")] == [0, 1, 2, 3]
    assert store.artifact(run, "summary.html").exists()
    assert not list(tmp_path.glob("maxexp-unsent-*"))


def test_a_run_quantized_after_training_is_evaluated_as_integers(run_here):
    trained = run_here("quantization=ptq", "trainer.max_epochs=2", "stages=[train,quantize]")
    stages = ("quantization=ptq", "stages=[evaluate,synthesize]")
    run = run_here(*stages, f"checkpoint=run:{trained.info.run_id}")
    assert "test/accuracy_integer" in run.data.metrics and "hw/cycles" in run.data.metrics


def test_a_last_map_of_several_pixels_is_named():
    """Its outputs were once said not to follow the data set, which they did."""
    large = ("model=simplenet", "dataset=images", "dataset.num_classes=2", "dataset.height=64", "dataset.width=64")
    with pytest.raises(ConfigError, match="classifier gives a map of 2x2 pixels for images of 64x64; pool more"):
        described_network(composed(*large))


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
