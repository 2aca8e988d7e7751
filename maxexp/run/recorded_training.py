"""A training within a run: what it takes from the configuration, and what the record keeps of it."""

import logging
from pathlib import Path

import torch

from maxexp.base.errors import CheckpointError, ConfigError, NetworkError
from maxexp.base.folders import cache_folder
from maxexp.network.module import NetworkModule
from maxexp.run.checkpoints import locate_checkpoint
from maxexp.run.context import RunContext
from maxexp.run.figures import record_curves
from maxexp.run.spec import RunSpec
from maxexp.tracking.artifacts import CHECKPOINTS
from maxexp.tracking.logger import RecordLogger
from maxexp.tracking.reading import THREADS, RecordedRun
from maxexp.tracking.record import RunRecord
from maxexp.training.config import DistillationConfig
from maxexp.training.distillation import Distillation, Teacher, load_teacher
from maxexp.training.files import QAT, RESUME_FILES
from maxexp.training.hardware import training_precision
from maxexp.training.metrics import BEST_EPOCH, EPOCHS, QAT_EPOCH, SECONDS_OF_EPOCH, TRAINING_TIME
from maxexp.training.phases import RunFiles, Trained, Training, TrainingSettings
from maxexp.training.resume_files import newest_checkpoint
from maxexp.training.small_images import check_small_images

log = logging.getLogger(__name__)


class RecordedTraining:
    """Trains the network of one run.

    Args:
        spec: of the run.
        context: what the stages of a run share.

    Raises:
        CheckpointError, ConfigError: a teacher is missing, or is none for these images; or the network cannot
            compute the small ones of the first epochs.
    """

    def __init__(self, spec: RunSpec, context: RunContext) -> None:
        self._config = spec.config
        self._network = spec.network
        self._context = context
        self._precision = training_precision(spec.config.trainer, context.device)
        if spec.config.recipe.small_images is not None:
            check_small_images(spec.config.recipe.small_images, spec.network)
        self._distillation = self._load_teachers()

    def run(self, start: NetworkModule | None, record: RunRecord) -> Trained:
        """Trains, from where an interrupted run left it if the record is resumed.

        Args:
            start: network to begin with; freshly initialized if None.
        """
        config, device = self._config, self._context.device
        task, quantization = self._context.task, config.quantization
        extras = self._context.checkpoint_extras()
        settings = TrainingSettings(task, quantization, config.recipe, config.trainer, config.seed, device, extras)
        files = _RecordedFiles(record, self._context.folder)
        if (began := record.tags().get("train.device", device.type)) != device.type:
            log.warning("the run began on %s and goes on on %s: figures will differ a little", began, device.type)
        record.set_tags(
            {
                "train.device": device.type,
                "train.precision": self._precision.name,
                THREADS: str(torch.get_num_threads()),
            }
        )
        resume = _newest_resume_file(record.recorded()) if record.resumed else None
        training = Training(
            self._network, self._context.data, settings, files.for_training(), start, resume, self._distillation
        )
        trained = training.run()
        seconds = [value for _, value in record.history(SECONDS_OF_EPOCH.key)]
        record.log_metrics(
            {
                task.selects.chosen.key: trained.value,
                BEST_EPOCH.key: trained.epoch,
                EPOCHS.key: len(seconds),
                TRAINING_TIME.key: sum(seconds) / 3600,
            }
        )
        record_curves(record, trained.qat_epoch)
        return trained

    def _load_teachers(self) -> Distillation | None:
        config = self._config.recipe.distillation
        if config is None:
            return None
        if not self._context.task.distills:
            name = self._config.task.name.name
            raise ConfigError(f"recipe.distillation: task={name} has no teachers; choose recipe=default")
        return Distillation(config, [self._load_teacher(config, each) for each in config.checkpoints])

    def _load_teacher(self, config: DistillationConfig, checkpoint: str) -> Teacher:
        dataset = self._config.dataset
        memory = cache_folder(dataset.cache_dir) / "teachers" / self._precision.name
        try:
            path = locate_checkpoint(checkpoint, self._context.read_run)
            return load_teacher(config, path, dataset.shape, dataset.outputs, memory).to(self._context.device)
        except NetworkError as error:
            raise ConfigError(f"recipe.distillation.{error}") from error
        except CheckpointError as error:
            key = f"recipe.distillation.checkpoint={checkpoint}"
            raise CheckpointError(f"{key}: {error}; recipe=sgd learns from no teacher") from error


class _RecordedFiles:
    """Puts what a training writes into the record."""

    def __init__(self, record: RunRecord, folder: Path) -> None:
        self._record = record
        self._folder = folder

    def for_training(self) -> RunFiles:
        return RunFiles(self._folder, self._keep, self._phase_logger)

    def _keep(self, path: Path) -> None:
        """Stores a checkpoint with the run."""
        self._record.log_artifact(path, CHECKPOINTS)

    def _phase_logger(self, phase: str, first_epoch: int) -> RecordLogger:
        # Noted when it begins: a run that ends within this phase has it, too, and a sweep compares within phases.
        if phase == QAT:
            self._record.log_metrics({QAT_EPOCH.key: first_epoch})
        return RecordLogger(self._record, self._folder, first_epoch)


def _newest_resume_file(run: RecordedRun) -> Path | None:
    """The later of the two checkpoints that a training writes by turns; None if there is none yet."""
    kept = [path for path in run.artifacts(CHECKPOINTS) if Path(path).name in RESUME_FILES]
    newest = newest_checkpoint([run.artifact(path) for path in kept])
    # A kill damages one at most: the only one, of the first epoch, is no loss.
    if newest is None and len(kept) == len(RESUME_FILES):
        raise CheckpointError(f"run {run.run_id} cannot be resumed: its checkpoints are damaged; start a new run")
    return newest
