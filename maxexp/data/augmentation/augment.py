"""Augmentation of a whole batch at once, every image by its own draw."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from maxexp.data.augmentation.color import WHITE, color_jitter
from maxexp.data.augmentation.geometry import crop_and_flip, cutout, rotate
from maxexp.data.augmentation.pixels import evaluation_input
from maxexp.data.config import AugmentationConfig

GREY = 128
"""The pixel that the network reads as 0."""


class BatchAugmentation:
    """Turns pixels into the network's input, randomly.

    Crop, flip, rotation, colour jitter, noise, in this order; then the result is rounded to 8 bits,
    as a camera would give it, a square is cut out, and it is mapped to signed numbers. Crop and flip move
    whole pixels; images pass through floating point only for rotation, jitter and noise.

    Args:
        config: what is on.
    """

    def __init__(self, config: AugmentationConfig) -> None:
        self.config = config

    def __call__(self, images: Tensor, generator: Generator) -> Tensor:
        """Augments a batch.

        Args:
            images: uint8 (N, C, H, W).
            generator: the only source of randomness, on the images' device.

        Returns:
            float32 (N, C, H, W), multiples of 1/128 in [-1, 127/128]; channels_last if there are colours.
        """
        images = self._move(images, generator)
        if self.config.rotation or self.config.color_jitter or self.config.gaussian_noise:
            images = self._alter(images.float(), generator)
        if self.config.cutout:
            images = cutout(images, self.config.cutout.size, GREY, generator)
        return evaluation_input(images, self.config.mapping)

    def _move(self, images: Tensor, generator: Generator) -> Tensor:
        crop, flip = self.config.random_crop, self.config.horizontal_flip
        if crop is None and flip is None:
            return images
        padding = crop.padding if crop else 0
        return crop_and_flip(images, padding, flip.probability if flip else 0.0, generator)

    def _alter(self, values: Tensor, generator: Generator) -> Tensor:
        config = self.config
        if config.rotation:
            values = rotate(values, config.rotation.degrees, generator)
        if config.color_jitter:
            values = color_jitter(values, config.color_jitter, generator)
        if config.gaussian_noise:
            noise = torch.randn(values.shape, generator=generator, device=values.device)
            values = noise.mul_(config.gaussian_noise.std * WHITE).add_(values)
        return values.round_().clamp_(0, WHITE).to(torch.uint8)
