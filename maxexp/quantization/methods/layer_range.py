"""How the numbers of a layer are distributed: measured by :mod:`.ranges`, drawn without torch."""

from dataclasses import dataclass

BINS, REACH = 120, 1.5
"""Histograms go from -REACH to REACH times full scale; what is beyond counts in the outermost bins."""


@dataclass(frozen=True)
class Range:
    """Values before they were rounded, in units of full scale (1 is one step beyond the largest code).

    Attributes:
        counts: BINS numbers of values, from -REACH to REACH.
        clipped: share of the values that the grid cannot hold, to half a step.
    """

    counts: tuple[int, ...]
    clipped: float


@dataclass(frozen=True)
class LayerRange:
    """One layer; ``outputs`` is None for 32-bit outputs, which have all the room they need."""

    name: str
    bits: int
    weights: Range
    outputs: Range | None
