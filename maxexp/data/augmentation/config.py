"""What can be chosen about training images, as a typed schema: every augmentation, and the input mapping."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from enum import Enum
from typing import Any

from maxexp.base.frozen import frozen
from maxexp.data.augmentation.registry import Domain, all_entries


class InputMapping(Enum):
    """How an 8-bit pixel p becomes the signed 8-bit number that the network reads."""

    p128 = "p128"
    ai8x = "ai8x"


@frozen
@dataclass
class NormalizeConfig:
    """The mapping from unsigned pixels to signed numbers; the only entry that also holds at evaluation.

    Attributes:
        mapping: which signed number a pixel becomes.
    """

    mapping: InputMapping = InputMapping.p128


_Augmentations: Any = make_dataclass(
    "_Augmentations", [(entry.name, entry.kind | None, field(default=None)) for entry in all_entries()]
)
"""A key for each augmentation that is registered."""


@frozen
@dataclass
class AugmentationConfig(_Augmentations):
    """What happens to training images; None switches an entry off.

    Without `normalize` the pixels are not centred: the network reads p >> 1, that is 0 to 127.
    """

    normalize: NormalizeConfig | None = field(default_factory=NormalizeConfig)

    @property
    def mapping(self) -> InputMapping | None:
        """The input mapping, None for pixels that are not centred."""
        return None if self.normalize is None else self.normalize.mapping

    def chosen(self, domain: Domain) -> list[Any]:
        """The augmentations of a domain that are on, in the order in which they are applied."""
        found = (getattr(self, entry.name) for entry in all_entries() if entry.domain is domain)
        return [each for each in found if each is not None]
