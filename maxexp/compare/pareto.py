"""The runs that no other run beats in everything."""

from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, ...]]) -> list[bool]:
    """Whether each point is on the front; all objectives are to be small.

    A point is off the front if another one is at most as large in every objective and smaller in one.
    Equal points are on it together.
    """
    return [not any(_dominates(other, point) for other in points) for point in points]


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
