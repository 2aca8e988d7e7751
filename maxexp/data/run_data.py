"""The images of a run: to train on, to validate on, to test with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from maxexp.base.errors import ConfigError
from maxexp.data.augmentation.augment import BatchAugmentation
from maxexp.data.augmentation.config import AugmentationConfig, InputMapping
from maxexp.data.augmentation.pixels import evaluation_input
from maxexp.data.config import FIXED_CONTENT, DatasetConfig
from maxexp.data.coverage import warn_of_absent_classes, warn_of_few_steps
from maxexp.data.dataset import ImageSet, check_files, load_split
from maxexp.data.doubts import warn_of_doubts
from maxexp.data.loader import EvaluationBatches, TrainingBatches, seeded_generator
from maxexp.data.store.split import stratified_order, stratified_split

log = logging.getLogger(__name__)


class RunData:
    """Training, validation and test images; each split is read on first use, the test split only then.

    Args:
        dataset: the data set.
        augmentation: what happens to training images; its input mapping holds everywhere.
        batch_size: training images per batch.
        seed: of shuffling, augmentation and the choice of calibration images.
        device: where the images are kept and augmented.
        views: epochs after which the same batches come again; None: never.

    Raises:
        ConfigError: (on first use) the validation images leave none to train on, or none of a class.
        DataError: (on first use) the data are missing or corrupt.
    """

    def __init__(
        self,
        dataset: DatasetConfig,
        augmentation: AugmentationConfig,
        batch_size: int,
        seed: int,
        device: torch.device | str = "cpu",
        views: int | None = None,
    ) -> None:
        self._dataset = dataset
        self._augmentation = augmentation
        self._batch_size = batch_size
        self._seed = seed
        self._device = device
        self._views = views

    @cached_property
    def _parts(self) -> tuple[ImageSet, ImageSet]:
        """Returns the training and validation part of the training split."""
        config = self._dataset
        whole = load_split(config, "train")
        aside = config.validation_images or max(1, len(whole) // 10)
        if aside >= len(whole):
            raise ConfigError(
                f"dataset.validation_images={aside} leaves nothing to train on: "
                f"use less than the {len(whole)} training images of {config.name}."
            )
        labels = whole.strata
        train, validation = stratified_split(labels, aside, config.split_seed)
        # The one stratum of real targets has no name, and is never left out.
        robbed = [whole.classes[label] for label in np.setdiff1d(labels, labels[train])]
        if robbed:
            raise ConfigError(
                f"dataset.validation_images={aside} leaves nothing to train on of {', '.join(robbed)}: "
                "use less, or add images."
            )
        if config.limit is not None:
            # After the division: a quick proxy is judged by the same validation images as a full run.
            train = np.sort(train[stratified_order(labels[train], config.split_seed)[: config.limit]])
        return whole.subset(train).to(self._device), whole.subset(validation).to(self._device)

    @property
    def train(self) -> ImageSet:
        """The images that are trained on."""
        return self._parts[0]

    @property
    def validation(self) -> ImageSet:
        """The images set aside from the training split."""
        return self._parts[1]

    @cached_property
    def test(self) -> ImageSet:
        """The test split: measured by once, at the end."""
        return load_split(self._dataset, "test").to(self._device)

    @property
    def mapping(self) -> InputMapping | None:
        """Returns how pixels become signed numbers, in training and evaluation."""
        return self._augmentation.mapping

    def check(self, *splits: str) -> None:
        """Refuses missing and corrupt data before a training, rather than after it.

        Published data sets are only looked for. A user's own images are decoded, for any of them may be broken,
        and classes that a part lacks are warned of; nothing else is done with the test split.

        Args:
            splits: `train` and `test`, as far as they will be needed.

        Raises:
            ConfigError: the validation images leave none to train on, or none of a class.
            DataError: the data are missing or corrupt.
        """
        if self._dataset.source in FIXED_CONTENT:
            check_files(self._dataset, *splits)
            return
        warn_of_absent_classes(self._dataset.name, self._named_parts(splits))

    def warn_of_doubts(self, *splits: str) -> None:
        """Warns of what of a user's own images is not read, or there twice; see :func:`doubts.warn_of_doubts`."""
        if self._dataset.source not in FIXED_CONTENT:
            warn_of_doubts(self._dataset, self._named_parts(splits))

    def _named_parts(self, splits: Collection[str]) -> dict[str, ImageSet]:
        """The parts of some splits, as messages call them."""
        parts = {"training": self.train, "validation": self.validation} if "train" in splits else {}
        return parts | ({"test": self.test} if "test" in splits else {})

    def digests(self) -> dict[str, str]:
        """Returns SHA-256 of `train`, `validation` and `test`, as far as they have been loaded."""
        loaded: dict[str, str] = {}
        if "_parts" in self.__dict__:
            loaded |= {"train": self.train.digest, "validation": self.validation.digest}
        if "test" in self.__dict__:
            loaded["test"] = self.test.digest
        return loaded

    @property
    def loaded(self) -> ImageSet | None:
        """A part that has been loaded, for the names of classes and the unit of targets, which all parts share."""
        if "_parts" in self.__dict__:
            return self.train
        return self.test if "test" in self.__dict__ else None

    def calibration_inputs(self, count: int) -> Tensor:
        """Returns the unaugmented training images to set quantization ranges by, the same ones for a seed.

        Args:
            count: how many; all of them if there are fewer.

        Returns:
            float32 (N, C, H, W), as :func:`maxexp.data.augmentation.pixels.evaluation_input` gives it.
        """
        generator = seeded_generator(self._seed, "calibration")
        order = torch.randperm(len(self.train), generator=generator)[:count]
        return evaluation_input(self.train.images[order.to(self._device)], self.mapping)

    def training_batches(self, epoch: Callable[[], int]) -> TrainingBatches:
        """Returns the shuffled, augmented batches.

        Where full batches leave some images over, these are spread over all batches. Of whole published sets they
        sit out the epoch instead, which is told: with thousands of images it makes no difference, and recorded
        results stay what they are.

        Args:
            epoch: asked at the start of each epoch for its number, which decides order and augmentation.
        """
        augmentation = BatchAugmentation(self._augmentation)
        views = self._views
        images, left_over = len(self.train), len(self.train) % self._batch_size
        spread = self._dataset.source not in FIXED_CONTENT or self._dataset.limit is not None
        if spread:
            warn_of_few_steps(self._dataset.name, images, self._batch_size)
        elif left_over:
            log.info("%d of %d training images sit out each epoch, others in every one", left_over, images)
        return TrainingBatches(
            self.train,
            self._batch_size,
            augmentation,
            self._seed,
            lambda: epoch() % views if views else epoch(),
            spread,
        )

    def validation_batches(self) -> EvaluationBatches:
        """The validation images in their order."""
        return EvaluationBatches(self.validation, self.mapping)
