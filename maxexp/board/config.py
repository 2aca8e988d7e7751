"""Which board runs the network."""

from dataclasses import dataclass
from enum import Enum


class BoardKind(Enum):
    """Boards that the deploy stage knows."""

    none = "none"
    emulated = "emulated"


@dataclass
class BoardConfig:
    """Attributes: kind: ``none`` skips the deploy stage, ``emulated`` runs firmware in software."""

    kind: BoardKind = BoardKind.none
