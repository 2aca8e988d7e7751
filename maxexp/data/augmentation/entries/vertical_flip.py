"""Images upside down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.data.augmentation.registry import Domain, augmentation

if TYPE_CHECKING:
    from torch import Generator, Tensor


@augmentation("vertical_flip", Domain.pixels, order=1)
@frozen
@dataclass
class VerticalFlip:
    """Some images are turned upside down: for images without an above, as under a microscope or from a satellite.

    Attributes:
        probability: of an image being flipped.
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        possible = 0 <= self.probability <= 1
        check("augmentation.vertical_flip.probability", self.probability, possible, "must be 0 to 1")

    def __call__(self, pixels: Tensor, generator: Generator) -> Tensor:
        from maxexp.data.augmentation.geometry import uniform

        return pixels.flip(2).where(uniform(pixels, 0, 1, generator) < self.probability, pixels)
