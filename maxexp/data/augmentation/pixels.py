"""The way from the pixels of a camera to the signed numbers of the network: the one place that knows how."""

from __future__ import annotations

import torch
from torch import Tensor

from maxexp.chip.numbers.arithmetic import ACTIVATION_SCALE
from maxexp.data.augmentation.config import InputMapping


def map_pixels(images: Tensor, mapping: InputMapping | None) -> Tensor:
    """Maps pixels to the signed numbers that the chip reads.

    Args:
        images: uint8, any shape.
        mapping: `p128` gives p - 128, as firmware and camera do. `ai8x` gives the maker's training
            mapping round((p / 255 - 0.5) * 256) clamped to [-128, 127], in its exact integer form:
            p - 128 up to 127, min(p - 127, 127) above. None gives p >> 1.

    Returns:
        int8, same shape.
    """
    if mapping is None:
        return (images >> 1).view(torch.int8)
    if mapping is InputMapping.ai8x:
        images = images + ((images >= 128) & (images < 255))
    # Flipping the top bit and reading the byte as signed is p - 128.
    return (images ^ 0x80).view(torch.int8)


def evaluation_input(images: Tensor, mapping: InputMapping | None) -> Tensor:
    """The network's input for unaugmented images.

    Args:
        images: uint8 (N, C, H, W).
        mapping: see :func:`map_pixels`.

    Returns:
        float32 (N, C, H, W), multiples of 1/128 in [-1, 127/128]; channels_last if there are colours.
    """
    # channels_last is what convolutions on a CPU are fastest with; for one channel the two agree.
    layout = torch.channels_last if images.shape[1] > 1 else torch.contiguous_format
    signed = map_pixels(images, mapping)
    return signed.to(torch.float32, memory_format=layout).mul_(1 / ACTIVATION_SCALE)
