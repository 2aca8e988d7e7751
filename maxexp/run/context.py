"""What the stages of one run share: device, data, files; each made when a stage first needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from maxexp.base.errors import DataError
from maxexp.schema.config import Config
from maxexp.tracking.reading import RecordedRun, read_run
from maxexp.tracking.record import RunRecord
from maxexp.tracking.store import open_store

if TYPE_CHECKING:  # torch takes longer to import than some runs take
    import torch

    from maxexp.data.dataset import ImageSet
    from maxexp.data.run_data import RunData
    from maxexp.tasks.base import Task


class RunContext:
    """Device, data, task and folder of one run, and the runs of its tracking store.

    Args:
        folder: local folder for files on their way to the record.
        earlier: what the record holds of a run that an earlier process began.
    """

    def __init__(self, config: Config, folder: Path, earlier: RecordedRun | None = None) -> None:
        self.folder = folder
        self.earlier = earlier
        self._config = config

    @cached_property
    def device(self) -> torch.device:
        """Returns where the run computes; from here on with as many CPU threads as it is to have.

        Raises:
            ConfigError: this machine does not have it.
        """
        from maxexp.training.hardware import set_threads, training_device

        set_threads(self._config.trainer)
        return training_device(self._config.trainer)

    @cached_property
    def data(self) -> RunData:
        """The images, each part read on first use."""
        from maxexp.data.run_data import RunData

        config, distillation = self._config, self._config.recipe.distillation
        views = distillation.views if distillation else None
        batch_size, seed = config.trainer.batch_size, config.seed
        return RunData(config.dataset, config.augmentation, batch_size, seed, self.device, views)

    @cached_property
    def task(self) -> Task:
        """Returns the task, which judges the network."""
        from maxexp.tasks.registry import task_of

        return task_of(self._config.task)

    def checkpoint_extras(self) -> dict[str, str]:
        """Returns what a checkpoint of this run says of itself."""
        from maxexp.run.self_description import SelfDescription

        part = self.data.loaded
        known = (part.classes, part.unit, part.input_range) if part else ()
        return SelfDescription.of(self._config, *known).extras()

    def read_run(self, run_id: str) -> RecordedRun:
        """A run of the tracking store that this run is recorded in. Raises TrackingError."""
        return read_run(open_store(self._config.tracking, existing=True), run_id)

    def check_data(self, parts: Sequence[str]) -> None:
        """Refuses missing or broken data before the stages that need them, rather than after hours.

        Raises:
            DataError: they are, or the run began with others.
        """
        splits = ["train"] if {"train", "validation"} & set(parts) else []
        splits += ["test"] if "test" in parts else []
        self.data.check(*splits)
        self.data.warn_of_doubts(*splits)
        self._check_same()

    def record_data(self, record: RunRecord, *parts: str) -> None:
        """Records which images a stage looks at. Raises DataError where the run began with others."""
        for part in parts:
            getattr(self.data, part)
            self._check_same()
            record.log_dataset(self._name(part), self.data.digests()[part], part)

    def local_test_images(self) -> ImageSet | None:
        """The test split, unless it would have to be downloaded."""
        from maxexp.data.dataset import load_split

        try:
            return load_split(replace(self._config.dataset, download=False), "test")
        except DataError:
            return None

    def _check_same(self) -> None:
        """Compares the parts that were read with those that the run began with."""
        if self.earlier is None:
            return
        for part, digest in self.data.digests().items():
            if not digest.startswith(self.earlier.data.get(self._name(part), "")):
                raise DataError(
                    f"{self._name(part)}: these are not the images that run {self.earlier.run_id} began with; give "
                    "it those (dataset.root), or start a new run"
                )

    def _name(self, part: str) -> str:
        """Returns the digest of a part of the data set in the record."""
        return f"{self._config.dataset.name}-{part}"
