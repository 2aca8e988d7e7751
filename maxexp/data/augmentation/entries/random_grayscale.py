"""Colours that are taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.data.augmentation.registry import Domain, augmentation

if TYPE_CHECKING:
    from torch import Generator, Tensor


@augmentation("random_grayscale", Domain.values, order=25)
@frozen
@dataclass
class RandomGrayscale:
    """Some images become gray, so that the network cannot rely on colours alone; gray ones stay as they are.

    Attributes:
        probability: of an image becoming gray.
    """

    probability: float = 0.1

    def __post_init__(self) -> None:
        possible = 0 <= self.probability <= 1
        check("augmentation.random_grayscale.probability", self.probability, possible, "must be 0 to 1")

    def __call__(self, values: Tensor, generator: Generator) -> Tensor:
        from maxexp.data.augmentation.color import adjust_saturation
        from maxexp.data.augmentation.geometry import uniform

        return adjust_saturation(values, (uniform(values, 0, 1, generator) >= self.probability).float())
