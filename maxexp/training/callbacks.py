"""What happens at the end of each epoch: the record, the best network, the checkpoint to resume from."""

import logging
import time
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, Trainer
from torch import Tensor

from maxexp.base.errors import TrainingError
from maxexp.tasks.scores.classification import ACCURACY
from maxexp.training.classifier import Classifier
from maxexp.training.files import RESUME_FILES
from maxexp.training.metrics import (
    LEARNING_RATE,
    SECONDS_OF_EPOCH,
    TRAINING_LOSS,
    TRAINING_SPEED,
    VALIDATION_LOSS,
)

log = logging.getLogger(__name__)


class BestNetwork(Callback):
    """Keeps the weights of the epoch with the highest validation accuracy; the first of equals.

    Its state is part of Lightning's checkpoints, so that a resumed training compares with all earlier epochs.
    """

    def __init__(self) -> None:
        self.accuracy = -1.0
        self.epoch = -1
        self.weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: Trainer, classifier: Classifier) -> None:
        accuracy = float(trainer.callback_metrics[ACCURACY.validation.key])
        if accuracy > self.accuracy:
            self.accuracy, self.epoch = accuracy, classifier.epoch
            state = classifier.result.state_dict()
            self.weights = {key: value.detach().cpu().clone() for key, value in state.items()}

    def state_dict(self) -> dict[str, Any]:
        return {"accuracy": self.accuracy, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.accuracy, self.epoch, self.weights = state["accuracy"], state["epoch"], state["weights"]


class EpochEnd(Callback):
    """Logs an epoch's metrics in one call, then saves the checkpoint from which a killed run resumes.

    In this order: a point logged twice is dropped by the record, one never logged would be lost.

    Args:
        total_epochs: of all phases, for the line that is printed.
        folder: where checkpoints are written.
        keep: takes the path of a checkpoint and stores it with the run.
    """

    def __init__(self, total_epochs: int, folder: Path, keep: Callable[[Path], None]) -> None:
        self._total = total_epochs
        self._folder = folder
        self._keep = keep
        self._started = 0.0
        self._seconds = 0.0

    def on_train_epoch_start(self, trainer: Trainer, classifier: Classifier) -> None:
        self._started = time.perf_counter()

    def on_validation_start(self, trainer: Trainer, classifier: Classifier) -> None:
        self._seconds = time.perf_counter() - self._started

    def on_train_epoch_end(self, trainer: Trainer, classifier: Classifier) -> None:
        values = classifier.training_means()
        values |= {key: float(value) for key, value in trainer.callback_metrics.items()}
        # The weights may be no numbers though the loss of the last step was one: the validation shows it.
        for key, what in ((TRAINING_LOSS.key, "its loss"), (VALIDATION_LOSS.key, "its validation loss")):
            if not isfinite(values[key]):
                raise TrainingError(
                    f"training diverged in epoch {classifier.epoch + 1}, {what} is {values[key]}; lower "
                    f"recipe.{'qat_' if classifier.phase == 'qat' else ''}learning_rate"
                )
        values[SECONDS_OF_EPOCH.key] = self._seconds
        values[TRAINING_SPEED.key] = classifier.images_seen / self._seconds
        values[LEARNING_RATE.key] = trainer.optimizers[0].param_groups[0]["lr"]
        if trainer.logger is not None:
            trainer.logger.log_metrics({**values, "epoch": trainer.current_epoch})
        log.info(
            "epoch %d/%d [%s]  loss %.4f  train %.2f %%  validation %.2f %%  %.0f images/s",
            classifier.epoch + 1,
            self._total,
            classifier.phase,
            values[TRAINING_LOSS.key],
            100 * values[ACCURACY.train.key],
            100 * values[ACCURACY.validation.key],
            values[TRAINING_SPEED.key],
        )
        path = self._folder / RESUME_FILES[classifier.epoch % len(RESUME_FILES)]
        trainer.save_checkpoint(path)
        self._keep(path)
