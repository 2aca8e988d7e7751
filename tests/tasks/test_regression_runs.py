"""Regressions as whole runs: trained, quantized, evaluated in integers, compared, swept and kept like the others."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from maxexp.base.errors import ConfigError
from maxexp.report.comparison.collect import collect
from maxexp.report.comparison.comparison import compare
from maxexp.run.composition import compose_config
from maxexp.sweep.search.config import Direction
from maxexp.sweep.search.objectives import check_objectives
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store
from maxexp.zoo.cards import add, table

DIABETES = ("+experiment=diabetes_qat", "trainer.max_epochs=6", "quantization.start_epoch=4")


@pytest.fixture(scope="module")
def recorded(store, tmp_path_factory):
    """Runs on the diabetes data, of a wide and a narrow network."""
    found = []
    for width in (1.0, 0.25):
        run = store.trained(tmp_path_factory.mktemp("run"), *DIABETES, f"model.width={width}")
        found.append(read_run(open_store(TrackingConfig(uri=store.uri)), run.info.run_id))
    return found


def test_a_regression_has_its_scores_on_every_split(recorded):
    metrics = recorded[0].metrics
    wanted = {"train/mse", "val/mse", "val/r2", "val/best_mse", "val/mse_integer", "hw/cycles"}
    wanted |= {f"test/{score}_{kind}" for score in ("mse", "r2") for kind in ("float", "quantized", "integer")}
    assert wanted <= set(metrics)
    assert not [key for key in metrics if "accuracy" in key]
    assert 0.2 < metrics["test/r2_integer"] < 0.8, "scikit-learn's linear regression has 0.45"
    best = min(value for step, value in recorded[0].history("val/mse") if step >= 4)
    assert metrics["val/best_mse"] == best


def test_the_recorded_predictions_give_the_recorded_score(recorded):
    with np.load(recorded[0].artifact("evaluation/predictions.npz")) as content:
        assert r2_score(content["targets"], content["integer"]) == pytest.approx(
            recorded[0].metrics["test/r2_integer"], abs=1e-4
        )
    assert "plots/predictions.png" in recorded[0].artifacts("plots")


def test_runs_are_compared_by_the_error_the_smaller_the_better(recorded):
    found = compare([collect(run) for run in recorded])
    errors = [details.run.metrics["test/mse_integer"] for details in found.runs]
    assert errors == sorted(errors)
    assert found.accuracy.key == "test/mse_integer"
    assert found.best["test/mse_integer"] == {found.runs[0].run.run_id}


def test_the_zoo_keeps_a_regression(recorded, store, tmp_path):
    add(recorded[0], "patients", tmp_path, open_store(TrackingConfig(uri=store.uri)))
    rows = table(tmp_path).splitlines()
    assert recorded[0].metrics["test/mse_integer"] == pytest.approx(float(rows[2].split("|")[2].replace(",", "")))


def test_a_sweep_improves_its_scores_and_no_others():
    config = compose_config(DIABETES)
    check_objectives({"val/best_mse": Direction.minimize, "hw/latency_us": Direction.minimize}, config, None)
    with pytest.raises(ConfigError, match=r"val/best_accuracy: task=regression has none; it has val/best_mse"):
        check_objectives({"val/best_accuracy": Direction.maximize}, config, None)


def test_an_autoencoder_learns_its_own_input(run_here, store, tmp_path):
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(2, 4 * 16))
    train, test = (rng.normal(size=(n, 2)) @ basis for n in (256, 64))
    np.savez(tmp_path / "waves.npz", x_train=train.reshape(-1, 4, 16, 1), x_test=test.reshape(-1, 4, 16, 1))
    run = run_here(
        "task=regression",
        "dataset=arrays",
        f"dataset.root={tmp_path}/waves.npz",
        "dataset.channels=4",
        "dataset.height=16",
        "dataset.num_outputs=64",
        "~model.layers.conv1",
        "~model.layers.conv2",
        "~model.layers.fc",
        "+model.layers.encode={op:conv2d,out_channels:16,kernel_size:1}",
        "+model.layers.decode={op:conv2d,out_channels:4,kernel_size:1}",
        "trainer.max_epochs=12",
        "trainer.batch_size=16",
        "recipe.learning_rate=0.02",
    )
    assert run.data.metrics["test/r2_integer"] > 0.8
