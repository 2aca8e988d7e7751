"""Augmentation of a whole batch at once, every image by its own draw."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from maxexp.data.augmentation.color import WHITE
from maxexp.data.augmentation.config import AugmentationConfig
from maxexp.data.augmentation.geometry import crop_and_flip
from maxexp.data.augmentation.pixels import evaluation_input
from maxexp.data.augmentation.registry import Domain


class BatchAugmentation:
    """Turns pixels into the network's input, randomly.

    Crop and flip move whole pixels. What alters values passes through floating point; the result is rounded to 8
    bits, as a camera would give it. Then come the augmentations of whole pixels, and the mapping to signed numbers.

    Args:
        config: what is on.
    """

    def __init__(self, config: AugmentationConfig) -> None:
        self.config = config
        self._values, self._pixels = config.chosen(Domain.values), config.chosen(Domain.pixels)

    def __call__(self, images: Tensor, generator: Generator) -> Tensor:
        """Augments a batch.

        Args:
            images: uint8 (N, C, H, W).
            generator: the only source of randomness, on the images' device.

        Returns:
            float32 (N, C, H, W), multiples of 1/128 in [-1, 127/128]; channels_last if there are colours.
        """
        images = self._move(images, generator)
        if self._values:
            values = images.float()
            for alter in self._values:
                values = alter(values, generator)
            images = values.round_().clamp_(0, WHITE).to(torch.uint8)
        for alter in self._pixels:
            images = alter(images, generator)
        return evaluation_input(images, self.config.mapping)

    def _move(self, images: Tensor, generator: Generator) -> Tensor:
        crop, flip = self.config.random_crop, self.config.horizontal_flip
        if crop is None and flip is None:
            return images
        padding = crop.padding if crop else 0
        return crop_and_flip(images, padding, flip.probability if flip else 0.0, generator)
