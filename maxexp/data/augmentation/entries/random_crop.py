"""Random shifts of whole images."""

from dataclasses import dataclass

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.data.augmentation.registry import Domain, augmentation


@augmentation("random_crop", Domain.moves, order=1)
@frozen
@dataclass
class RandomCrop:
    """Zero padding on every side, then a crop of the original size at a random place.

    Attributes:
        padding: pixels added to each side.
    """

    padding: int = 4

    def __post_init__(self) -> None:
        check("augmentation.random_crop.padding", self.padding, self.padding >= 0, "must be 0 or more pixels")
