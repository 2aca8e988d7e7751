"""How numbers are written: unit, scale and digits."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class NumberFormat:
    """One way of writing a number.

    Attributes:
        unit: empty for plain numbers.
        scale: from the recorded number to the unit.
        digits: after the decimal point.
        signed: whether a plus is written, too.
        words: for a number that is 0 or 1, what stands for them.
    """

    unit: str = ""
    scale: float = 1.0
    digits: int = 0
    signed: bool = False
    words: tuple[str, str] | None = None

    def text(self, value: float) -> str:
        """The number without its unit."""
        if self.words:
            return self.words[int(value)]
        return f"{self.scale * value:{'+' if self.signed else ''},.{self.digits}f}"

    def spread(self, value: float) -> str:
        """Returns `` ± `` and a standard deviation without its unit; empty if all of its digits would be 0."""
        shown = self.scale * value >= 0.5 * 10**-self.digits
        return f" ± {self.scale * value:,.{self.digits}f}" if shown else ""

    def with_unit(self, value: float) -> str:
        """The number with its unit."""
        return f"{self.text(value)}{self.suffix}"

    @property
    def differences(self) -> NumberFormat:
        """Returns how differences of two such numbers are written: with their sign; of percentages in points, not in
        %."""
        return replace(self, signed=True, unit="points" if self.unit == "%" else self.unit)

    @property
    def suffix(self) -> str:
        """The unit behind a number; a factor's is written without a space: 2.5x."""
        return self.unit if self.unit in ("", "x") else f" {self.unit}"

    def heading(self, label: str) -> str:
        """A label with the unit; a factor has none."""
        return label if self.unit in ("", "x") else f"{label} [{self.unit}]"


COUNT = NumberFormat()
DECIMAL = NumberFormat(digits=2)
PERCENT = NumberFormat("%", 100, 2)
"""Of fractions."""
POINTS = PERCENT.differences
"""Of differences of fractions."""
FACTOR = NumberFormat("x", digits=1)
BYTES = NumberFormat("bytes")
KILOBYTES = NumberFormat("kB", 1e-3, 2)
"""Of bytes."""
MILLISECONDS = NumberFormat("ms", 1e-3, 3)
"""Of microseconds."""
SECONDS = NumberFormat("s", digits=1)
HOURS = NumberFormat("h", digits=1)
IMAGES_PER_SECOND = NumberFormat("images/s", digits=1)
