"""Callbacks by configuration."""

import pytest
import torch

from maxexp.base.errors import ConfigError
from maxexp.data.augmentation.config import AugmentationConfig
from maxexp.data.run_data import RunData
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.tasks.classification import Classification
from maxexp.training.config import Precision, RecipeConfig, TrainerConfig
from maxexp.training.phases import RunFiles, Training, TrainingSettings
from tests.training.test_phases import DIGITS, network

LIGHTNING = "pytorch_lightning.callbacks."
STOP = {"_target_": LIGHTNING + "EarlyStopping", "monitor": "val/accuracy", "mode": "max"}


@pytest.fixture
def epochs(tmp_path):
    """``epochs(callbacks)``: how many of ten epochs, half of them quantization-aware, a training takes."""

    def epochs(callbacks: dict) -> int:
        trainer = TrainerConfig(10, 512, "cpu", Precision.float32, progress=False, callbacks=callbacks)
        quantization = QuantizationConfig(Method.qat, start_epoch=5)
        settings = TrainingSettings(Classification(), quantization, RecipeConfig(), trainer, 1, torch.device("cpu"))
        kept: list[str] = []
        files = RunFiles(tmp_path, lambda path: kept.append(path.name), lambda phase, offset: None)
        Training(network(), RunData(DIGITS, AugmentationConfig(), 512, 1), settings, files).run()
        return sum(name.startswith("resume") for name in kept)

    return epochs


def test_each_phase_has_callbacks_of_its_own(epochs):
    """No epoch is better than the first by 2, more than all: each phase ends after as many as it has patience for."""
    impatient = {**STOP, "min_delta": 2.0, "patience": 2}
    assert epochs({"stop": impatient}) == 3 + 3
    assert epochs({"stop": None}) == 10


def test_a_metric_that_no_epoch_has_is_told_in_one_line(epochs):
    with pytest.raises(ConfigError, match="^trainer.callbacks.stop: Early stopping conditioned on metric `val/acc`"):
        epochs({"stop": {**STOP, "monitor": "val/acc"}})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"_target_": LIGHTNING + "EarlyStoping"}, "trainer.callbacks.x._target_=.*: no Callback; did you mean "),
        ({"_target_": LIGHTNING + "EarlyStopping"}, "trainer.callbacks.x.monitor: is missing; EarlyStopping takes"),
        ({**STOP, "wait": 3}, "trainer.callbacks.x.wait: no such argument; EarlyStopping takes monitor, min_delta"),
        ({**STOP, "mode": "up"}, "trainer.callbacks.x: EarlyStopping refuses its arguments: `mode` can be"),
        ({"_target_": LIGHTNING + "ModelCheckpoint"}, "trainer.callbacks.x: the record keeps the best network"),
    ],
)
def test_what_is_no_callback_is_refused_in_one_line(wrong, message):
    with pytest.raises(ConfigError, match=message) as caught:
        TrainerConfig(callbacks={"x": wrong})
    assert "\n" not in str(caught.value)
