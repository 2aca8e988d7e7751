"""Mirror images."""

from dataclasses import dataclass

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.data.augmentation.registry import Domain, augmentation


@augmentation("horizontal_flip", Domain.moves, order=2)
@frozen
@dataclass
class HorizontalFlip:
    """Mirror left and right.

    Attributes:
        probability: of an image being mirrored.
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        possible = 0 <= self.probability <= 1
        check("augmentation.horizontal_flip.probability", self.probability, possible, "must be 0 to 1")
