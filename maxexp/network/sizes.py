"""Shapes of tensors, and sizes in rows and columns."""

from typing import Any

Shape = tuple[int, int, int]
"""(channels, height, width); a signal of length L is (channels, L, 1)."""

Size = tuple[int, int]
"""(height, width)."""


def as_size(value: Any) -> Size | None:
    """A size as a description gives it: one number for both directions, or a pair of height and width.

    Returns:
        None where ``value`` is neither.
    """
    if _whole(value):
        return value, value
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_whole, value)):
        return value[0], value[1]
    return None


def dimensions(size: tuple[int, ...]) -> str:
    """A size or shape as people write it: ``3x32x32``."""
    return "x".join(map(str, size))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
