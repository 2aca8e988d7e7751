"""Runs from Python: photos in folders, a record like any other, a network that goes on from there."""

import pytest
from PIL import Image

import maxexp
from maxexp.base.errors import ConfigError, DeviceError
from maxexp.cli.predict import main as predict
from tests.images import image_folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos") / "pictures"
    image_folder(folder, 0)
    for number in range(10):
        (folder / "b" / f"{number}.png").unlink()
        Image.new("L", (8, 8), 240 + number).save(folder / "b" / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def run(photos, store):
    """Of a network that was described for other images, on one's own."""
    net = maxexp.network("digitsnet", dataset="digits")
    overrides = ["dataset.validation_images=2", "trainer.batch_size=4", "tracking.system_metrics=false"]
    return maxexp.train(net, data=photos, epochs=3, tracking_uri=store.uri, overrides=overrides)


def test_a_run_like_any_other(run, store, photos):
    recorded = store.client.get_run(run.id)
    assert recorded.info.status == "FINISHED" and run.metrics["test/accuracy_float"] > 0.5
    assert recorded.data.params["dataset.num_classes"] == "2" and recorded.data.params["dataset.height"] == "8"
    overrides = store.artifact(recorded, "config/overrides.yaml").read_text()
    assert "model=digitsnet" in overrides and str(photos) in overrides


def test_its_network_knows_the_folders_names(run, photos):
    assert run.network.classes == ("a", "b") and run.network.form.name == "floating"
    quantized = run.network.quantize(calibration=None)
    assert quantized.predict(photos / "a" / "0.png", photos / "b" / "0.png")[1].label in ("a", "b")
    assert quantized.evaluate() == quantized.evaluate(photos)


def test_a_photo_on_the_command_line(run, store, photos, capsys):
    assert predict([f"run:{run.id[:8]}", str(photos / "b" / "1.png"), "--tracking-uri", store.uri]) == 0
    output = capsys.readouterr()
    assert "1.png" in output.out and " %" in output.out and "not quantized yet" in output.err


def test_what_is_refused_leaves_no_run(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = maxexp.network("digitsnet", dataset="digits")
    with pytest.raises(ConfigError, match="trainer.max_epochs=0: must be at least 1"):
        maxexp.train(net, epochs=0)
    with pytest.raises(ConfigError, match="nowhere/: no such folder"):
        maxexp.train(net, data="nowhere/")
    with pytest.raises(DeviceError, match="bytes of weights"):
        maxexp.train(maxexp.network("nascifarnet", dataset="cifar10", width=2), quantization="qat", track=False)
    assert not (tmp_path / "mlruns").exists()
