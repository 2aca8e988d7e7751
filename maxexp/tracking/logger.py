"""Lightning's view of the run record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from maxexp.tracking.record import RunRecord


class RecordLogger(Logger):
    """Hands epoch-level metrics of a Lightning trainer to a run record, which outlives the trainer.

    One call of Lightning is one request to the store. Values that are logged on every step have no place
    here: they would all land on the step of their epoch.

    Args:
        record: The open run.
        save_dir: Local folder for Lightning's own files.
        epoch_offset: Epochs that earlier trainers of the same run have done; it is added to Lightning's
            epoch, so that the curves of a run with two trainings continue.
    """

    def __init__(self, record: RunRecord, save_dir: str | Path, epoch_offset: int = 0) -> None:
        super().__init__()
        self._record = record
        self._save_dir = str(save_dir)
        self._epoch_offset = epoch_offset

    @property
    def name(self) -> str:
        """The id of the MLflow experiment."""
        return self._record.experiment_id

    @property
    def version(self) -> str:
        """The id of the MLflow run."""
        return self._record.run_id

    @property
    def experiment(self) -> RunRecord:
        """The run record."""
        return self._record

    @property
    def save_dir(self) -> str:
        """Returns the local folder for Lightning's own files."""
        return self._save_dir

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Logs metrics at the step ``epoch + epoch_offset``; at ``step`` where Lightning names no epoch."""
        values = dict(metrics)
        if (epoch := values.pop("epoch", None)) is not None:
            step = int(epoch) + self._epoch_offset
        self._record.log_metrics(values, step)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Does nothing: the record has the whole configuration as params already."""

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Does nothing: the pipeline decides which checkpoints become artifacts."""

    def finalize(self, status: str) -> None:
        """Does nothing: the run goes on after the training, and the record ends it."""
