"""Colour changes of whole batches, one factor per image, as torchvision's functions do to one image.

Images are float32 (N, C, H, W) on the 0..255 scale; factors are (N, 1, 1, 1). On gray images
saturation and hue mean nothing and do nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

WHITE = 255.0
LUMA = (0.2989, 0.587, 0.114)
"""Weights of red, green and blue in a gray value, as torchvision has them (ITU-R BT.601)."""


def _gray(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images
    weights = torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def _blend(images: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(other.expand_as(images), images, factor).clamp_(0, WHITE)


def adjust_brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Scales the brightness: factor 0 gives black, 1 the image itself."""
    return (images * factor).clamp_(0, WHITE)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Scales the contrast: factor 0 gives the image's mean gray everywhere, 1 the image itself."""
    return _blend(images, _gray(images).mean((1, 2, 3), keepdim=True), factor)


def adjust_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Scales the saturation: factor 0 gives a gray image, 1 the image itself."""
    return images if images.shape[1] == 1 else _blend(images, _gray(images), factor)


def adjust_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turns the hue by `shift` turns of the HSV colour circle, value and saturation being kept."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(1)
    value, lowest = images.amax(1), images.amin(1)
    chroma = value - lowest
    # Where chroma is 0 the hue has no meaning and is multiplied by 0 below.
    unit = chroma.clamp(min=torch.finfo(chroma.dtype).tiny)
    other = torch.where(value == green, 2 + (blue - red) / unit, 4 + (red - green) / unit)
    sextant = torch.where(value == red, (green - blue) / unit, other) + 6 * shift[:, 0]
    # From HSV to one channel: value - chroma * clamp(min(k, 4 - k), 0, 1), k = (offset + hue) mod 6.
    k = torch.stack((sextant + 5, sextant + 3, sextant + 1), 1).remainder_(6)
    return value[:, None] - chroma[:, None] * torch.minimum(k, 4 - k).clamp_(0, 1)
