"""What all parts of the benchmark train: NASCifarNet on CIFAR-10 in batches of 128, by phases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from maxexp.data.augmentation.config import AugmentationConfig
from maxexp.data.augmentation.entries.horizontal_flip import HorizontalFlip
from maxexp.data.augmentation.entries.random_crop import RandomCrop
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.run_data import RunData
from maxexp.network.config import NetworkConfig
from maxexp.network.graph import Network, build_network
from maxexp.quantization.config import Method, QuantizationConfig

if TYPE_CHECKING:
    from maxexp.training.phases import TrainingSettings

BATCH = 128
AUGMENTATION = AugmentationConfig(RandomCrop(4), HorizontalFlip(0.5))
PHASES = {
    "float": QuantizationConfig(Method.float),
    "qat": QuantizationConfig(Method.qat, start_epoch=0),
}
PHASE_LABELS = {"float": "floating point", "qat": "quantization-aware"}


def cifar10(images: int | None = None, validation: int | None = None, cache: str | None = None) -> DatasetConfig:
    """CIFAR-10 with a number of training and validation images."""
    keys = {"validation_images": validation, "cache_dir": cache, "limit": images, "download": False}
    return DatasetConfig("cifar10", DatasetSource.cifar10, 3, 32, 32, 10, **keys)


def nascifarnet() -> Network:
    """The network of conf/model."""
    from hydra import compose, initialize_config_dir

    from maxexp.cli.run import conf_dir
    from maxexp.run.config import to_config

    with initialize_config_dir(conf_dir(), version_base="1.3"):
        model = to_config(compose("config", overrides=["model=nascifarnet", "dataset=cifar10"])).model
    assert isinstance(model, NetworkConfig)
    return build_network(model, (3, 32, 32))


def run_data(dataset: DatasetConfig, batch: int = BATCH) -> RunData:
    """The data as maxexp feeds them."""
    return RunData(dataset, AUGMENTATION, batch, seed=1)


def training_settings(quantization: QuantizationConfig, epochs: int, batch: int = BATCH) -> TrainingSettings:
    """Default recipe, on the CPU; the process is prepared as for every training."""
    from maxexp.base import this_process
    from maxexp.tasks.classification import Classification
    from maxexp.training.config import RecipeConfig, TrainerConfig
    from maxexp.training.hardware import set_threads
    from maxexp.training.phases import TrainingSettings

    trainer = TrainerConfig(max_epochs=epochs, batch_size=batch, accelerator="cpu", progress=False)
    this_process.prepare()
    set_threads(trainer)
    return TrainingSettings(Classification(), quantization, RecipeConfig(), trainer, 1, torch.device("cpu"))


def train_recorded(
    network: Network,
    data: RunData,
    settings: TrainingSettings,
    folder: Path,
    epoch_done: Callable[[], None] = lambda: None,
) -> None:
    """Train with the whole of maxexp, run record and checkpoints included.

    Args:
        folder: gets the tracking store and the files of the run.
        epoch_done: called at the very end of each epoch.
    """
    from maxexp.tracking.config import TrackingConfig
    from maxexp.tracking.logger import RecordLogger
    from maxexp.tracking.record import RunRecord
    from maxexp.training.phases import RunFiles, Training

    # System metrics are asked for by the second, not by the step.
    record = RunRecord.start(TrackingConfig(f"sqlite:///{folder}/mlflow.db", system_metrics=False), "bench")

    def keep(path: Path) -> None:
        record.log_artifact(path, "checkpoints")
        if path.suffix == ".ckpt":
            epoch_done()

    files = RunFiles(folder / "run", keep, lambda phase, offset: RecordLogger(record, folder, offset))
    files.folder.mkdir()
    with record:
        Training(network, data, settings, files).run()
