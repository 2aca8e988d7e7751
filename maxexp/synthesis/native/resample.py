"""Bilinear resizing in integers, as Pillow does it: each pixel is the weighted mean of a span of pixels."""

from dataclasses import dataclass
from math import floor

PRECISION = 22
"""Bits of a weight's fraction: Pillow has 32 bits, less 8 of a pixel and 2 to spare."""


@dataclass(frozen=True)
class Span:
    """Pixels of a line, and their weights in units of 2^-22, none of them negative."""

    first: int
    weights: tuple[int, ...]


def spans(given: int, wanted: int) -> list[Span]:
    """Returns what each of ``wanted`` pixels is made of, where a line has ``given``.

    A triangle as wide as two of the larger pixels, so that making smaller leaves no pixel out.
    """
    scale = given / wanted
    reach = max(scale, 1.0)
    return [_span((pixel + 0.5) * scale, reach, given) for pixel in range(wanted)]


def _span(center: float, reach: float, given: int) -> Span:
    first = max(0, int(center - reach + 0.5))
    end = min(given, int(center + reach + 0.5))
    raw = [max(0.0, 1.0 - abs((x - center + 0.5) * (1.0 / reach))) for x in range(first, end)]
    total = sum(raw)
    return Span(first, tuple(floor(weight / total * (1 << PRECISION) + 0.5) for weight in raw))
