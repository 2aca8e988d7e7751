"""Runs that fail or meet a failure on the way: what they keep, and how they end."""

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from maxexp.base.errors import DataError, TrainingError
from maxexp.tracking import outbox

SHORT = "trainer.max_epochs=4"


def test_a_corrupt_parquet_file_fails_the_run_with_its_name(run_here, tmp_path):
    (tmp_path / "cifar10").mkdir()
    for name in ("train", "test"):
        (tmp_path / "cifar10" / f"{name}-00000-of-00001.parquet").write_bytes(b"PAR1 cut short")
    data = f"dataset.root={tmp_path}"
    run = run_here(
        "model=cmsisnnet", "dataset=cifar10", data, error=DataError, match=r"train-00000-of-00001\.parquet"
    )
    assert run.info.status == "FAILED"


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
