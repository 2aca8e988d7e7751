"""Hidden squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.data.augmentation.registry import Domain, augmentation

if TYPE_CHECKING:
    from torch import Generator, Tensor

GREY = 128
"""The pixel that the network reads as 0."""


@augmentation("cutout", Domain.pixels, order=10)
@frozen
@dataclass
class Cutout:
    """A grey square over a part of the image (arXiv 1708.04552).

    Attributes:
        size: pixels of its side; a part of it may be outside.
    """

    size: int = 8

    def __post_init__(self) -> None:
        check("augmentation.cutout.size", self.size, self.size >= 1, "must be 1 or more pixels")

    def __call__(self, pixels: Tensor, generator: Generator) -> Tensor:
        from maxexp.data.augmentation.geometry import cutout

        return cutout(pixels, self.size, GREY, generator)
