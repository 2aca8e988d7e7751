"""Batches straight from memory: no worker processes, no state that a resumed run would need."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor

from maxexp.base.seeding import derived_seed
from maxexp.data.augmentation.augment import BatchAugmentation
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.augmentation.pixels import evaluation_input
from maxexp.data.dataset import ImageSet

Batch = tuple[Tensor, Tensor]


def seeded_generator(*parts: int | str, device: torch.device | str = "cpu") -> Generator:
    """A generator that depends on all parts; neighbouring seeds and epochs share nothing."""
    return Generator(device).manual_seed(derived_seed(*parts))


class TrainingBatches:
    """Shuffled and augmented batches; an epoch is a function of (seed, epoch) and nothing else.

    All batches are full, and the images left over sit out the epoch; or with ``spread`` all images take part, in
    batches that differ by one image at most. Too few images for one batch make one all the same.

    Args:
        images: what to draw from; its device is where the work is done.
        batch_size: images per batch.
        augmentation: applied to whole batches.
        seed: of shuffling and augmentation.
        epoch: asked for the number of the epoch when its first batch is drawn; equal numbers give equal
            batches.
        spread: whether all images take part.
    """

    def __init__(
        self,
        images: ImageSet,
        batch_size: int,
        augmentation: BatchAugmentation,
        seed: int,
        epoch: Callable[[], int],
        spread: bool = False,
    ) -> None:
        self._images = images
        self._batch_size = batch_size
        self._augmentation = augmentation
        self._seed = seed
        self._epoch = epoch
        self._spread = spread

    def __len__(self) -> int:
        batches = len(self._images) / self._batch_size
        return max(1, math.ceil(batches) if self._spread else math.floor(batches))

    def __iter__(self) -> Iterator[Batch]:
        """Yields inputs float32 (N, C, H, W) and labels int64 (N,)."""
        # Asked for with the first batch: when Lightning resumes, it makes the iterator before it has
        # settled in which epoch it is.
        epoch = self._epoch()
        images, labels = self._images.images, self._images.labels
        shuffle = seeded_generator(self._seed, epoch, "order")
        draws = seeded_generator(self._seed, epoch, "augmentation", device=images.device)
        order = torch.randperm(len(self._images), generator=shuffle).to(images.device)
        parts = order.tensor_split(len(self)) if self._spread else order.split(self._batch_size)[: len(self)]
        for chosen in parts:
            yield self._augmentation(images[chosen], draws), labels[chosen]


class EvaluationBatches:
    """All images in their order, unaugmented.

    Args:
        images: what to go through.
        mapping: how pixels become signed numbers.
        batch_size: images per batch.
    """

    def __init__(self, images: ImageSet, mapping: InputMapping | None, batch_size: int = 500) -> None:
        self._images = images
        self._mapping = mapping
        self._batch_size = batch_size

    def __len__(self) -> int:
        return math.ceil(len(self._images) / self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Yields inputs float32 (N, C, H, W) and labels int64 (N,)."""
        size = self._batch_size
        for images, labels in zip(self._images.images.split(size), self._images.labels.split(size), strict=True):
            yield evaluation_input(images, self._mapping), labels
