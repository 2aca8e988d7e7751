"""Noise of the sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.data.augmentation.registry import Domain, augmentation

if TYPE_CHECKING:
    from torch import Generator, Tensor


@augmentation("gaussian_noise", Domain.values, order=30)
@frozen
@dataclass
class GaussianNoise:
    """Independent noise on every value of every pixel.

    Attributes:
        std: standard deviation, where black is 0 and white is 1.
    """

    std: float = 0.1

    def __post_init__(self) -> None:
        check("augmentation.gaussian_noise.std", self.std, 0 <= self.std <= 1, "must be 0 to 1")

    def __call__(self, values: Tensor, generator: Generator) -> Tensor:
        import torch

        from maxexp.data.augmentation.color import WHITE

        noise = torch.randn(values.shape, generator=generator, device=values.device)
        return noise.mul_(self.std * WHITE).add_(values)
