"""Ranges of fractions that have the steps which were typed.

Hydra adds up the binary neighbours of what was typed: ``range(0,1,0.1)`` gets an eleventh value, 0.9999999999999999.
"""

from decimal import Decimal

from hydra.core.override_parser import types


class ExactRange(types.FloatRange):
    """Hydra's range of fractions, in decimal numbers."""

    def __post_init__(self) -> None:
        self.start, self.stop, self.step = (Decimal(str(n)) for n in (self.start, self.stop, self.step))


def use_exact_ranges() -> None:
    """Has Hydra sweep over such ranges in this process."""
    types.FloatRange = ExactRange  # type: ignore[misc]
