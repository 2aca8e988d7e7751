"""What happens at the end of each epoch: the record, the best network, the checkpoint to resume from."""

import logging
import time
from collections.abc import Callable
from math import inf, isfinite
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, Trainer
from torch import Tensor

from maxexp.base.disk import writing
from maxexp.base.errors import TrainingError
from maxexp.quantization.files import structure
from maxexp.tasks.score import Score
from maxexp.training.files import RESUME_FILES
from maxexp.training.learner import Learner
from maxexp.training.metrics import (
    LEARNING_RATE,
    SECONDS_OF_EPOCH,
    TRAINING_LOSS,
    TRAINING_SPEED,
    VALIDATION_LOSS,
)

log = logging.getLogger(__name__)


class BestNetwork(Callback):
    """Keeps the weights of the epoch with the best validation score; the first of equals.

    Its state is part of Lightning's checkpoints, so that a resumed training compares with all earlier epochs.

    Args:
        score: by which epochs are compared.

    Attributes:
        value: of the score in the best epoch.
    """

    def __init__(self, score: Score) -> None:
        self._score = score
        self.value = -score.better * inf
        self.epoch = -1
        self.weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: Trainer, learner: Learner) -> None:
        value = learner.validation_means()[self._score.validation.key]
        if self._score.beats(value, self.value):
            self.value, self.epoch = value, learner.epoch
            state = learner.result.state_dict()
            self.weights = {key: value.detach().cpu().clone() for key, value in state.items()}

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if not isinstance(state["value"], float) or not isinstance(state["epoch"], int):
            raise ValueError("it does not say which epoch was the best")
        self.value, self.epoch, self.weights = state["value"], state["epoch"], structure.tensors(state["weights"])


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

    def on_train_epoch_start(self, trainer: Trainer, learner: Learner) -> None:
        self._started = time.perf_counter()

    def on_validation_start(self, trainer: Trainer, learner: Learner) -> None:
        self._seconds = time.perf_counter() - self._started

    def on_train_epoch_end(self, trainer: Trainer, learner: Learner) -> None:
        values = {**learner.training_means(), **learner.validation_means()}
        # The weights may be no numbers though the loss of the last step was one: the validation shows it.
        for key, what in ((TRAINING_LOSS.key, "its loss"), (VALIDATION_LOSS.key, "its validation loss")):
            if not isfinite(values[key]):
                raise TrainingError(
                    f"training diverged in epoch {learner.epoch + 1}, {what} is {values[key]}; lower "
                    f"recipe.{'qat_' if learner.phase == 'qat' else ''}learning_rate"
                )
        values[SECONDS_OF_EPOCH.key] = self._seconds
        values[TRAINING_SPEED.key] = learner.images_seen / self._seconds
        values[LEARNING_RATE.key] = trainer.optimizers[0].param_groups[0]["lr"]
        if trainer.logger is not None:
            trainer.logger.log_metrics({**values, "epoch": trainer.current_epoch})
        score = learner.task.selects
        log.info(
            "epoch %d/%d [%s]  loss %.4f  train %s  validation %s  %.0f images/s",
            learner.epoch + 1,
            self._total,
            learner.phase,
            values[TRAINING_LOSS.key],
            score.form.with_unit(values[score.train.key]),
            score.form.with_unit(values[score.validation.key]),
            values[TRAINING_SPEED.key],
        )
        path = self._folder / RESUME_FILES[learner.epoch % len(RESUME_FILES)]
        with writing("checkpoint", path):
            trainer.save_checkpoint(path)
        self._keep(path)
