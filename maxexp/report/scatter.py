"""Networks as bubbles: one figure of merit over another, the area a third."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

OURS, PUBLISHED = "#4477aa", "#bb5566"
LARGEST_AREA, PLAIN_AREA = 1400.0, 90.0
"""Points squared."""


@dataclass(frozen=True)
class Point:
    """A bubble.

    Attributes:
        size: proportional to its area; None for all alike.
        error: half the height of its error bar.
        published: someone else's figure, drawn hollow.
    """

    label: str
    x: float
    y: float
    size: float | None = None
    error: float | None = None
    published: bool = False


def scatter(title: str, x_label: str, y_label: str, points: Sequence[Point], size_label: str = "") -> Figure:
    """The picture; areas are true to ``size``, and a legend says what they mean."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    largest = max((point.size for point in points if point.size), default=None)
    for point in points:
        area = LARGEST_AREA * point.size / largest if point.size and largest else PLAIN_AREA
        color = PUBLISHED if point.published else OURS
        face = "none" if point.published else color
        axes.scatter(point.x, point.y, s=area, facecolor=face, edgecolor=color, alpha=0.75, linewidth=1.5, zorder=3)
        if point.error:
            axes.errorbar(point.x, point.y, yerr=point.error, color=color, capsize=3, zorder=4)
        radius = (area / 3.1416) ** 0.5
        axes.annotate(
            point.label, (point.x, point.y), (radius + 4, 0), textcoords="offset points", va="center", fontsize=9
        )
    if any(point.published for point in points):
        axes.scatter([], [], s=PLAIN_AREA, color=OURS, label="ours")
        axes.scatter([], [], s=PLAIN_AREA, facecolor="none", edgecolor=PUBLISHED, linewidth=1.5, label="published")
    if largest and size_label:
        axes.scatter([], [], s=PLAIN_AREA, color="0.7", label=f"area: {size_label}")
    axes.margins(x=0.2, y=0.2)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="lower right")
    return figure
