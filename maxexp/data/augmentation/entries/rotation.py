"""Random turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.data.augmentation.registry import Domain, augmentation

if TYPE_CHECKING:
    from torch import Generator, Tensor


@augmentation("rotation", Domain.values, order=10)
@frozen
@dataclass
class Rotation:
    """Rotation about the image's centre.

    Attributes:
        degrees: angles are uniform in [-degrees, degrees].
    """

    degrees: float = 10.0

    def __post_init__(self) -> None:
        check("augmentation.rotation.degrees", self.degrees, 0 <= self.degrees <= 180, "must be 0 to 180")

    def __call__(self, values: Tensor, generator: Generator) -> Tensor:
        from maxexp.data.augmentation.geometry import rotate

        return rotate(values, self.degrees, generator)
