"""Which board runs the network."""

from dataclasses import dataclass
from enum import Enum


class BoardKind(Enum):
    """Boards that the deploy stage knows."""

    none = "none"


@dataclass
class BoardConfig:
    """Attributes: kind: ``none`` skips the deploy stage."""

    kind: BoardKind = BoardKind.none
