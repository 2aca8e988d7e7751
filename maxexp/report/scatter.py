"""Networks as bubbles: one figure of merit over another, the area a third."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from maxexp.report.labels import label_bubbles

OURS, PUBLISHED = "#4477aa", "#bb5566"
LARGEST_AREA, PLAIN_AREA = 1400.0, 90.0
"""Points squared."""
LOGARITHMIC = 8
"""Ratio of the largest x to the smallest from which on the axis is logarithmic."""


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


def scatter(title: str, x_label: str, y_label: str, size_label: str, points: Sequence[Point]) -> Figure:
    """The picture; areas are true to ``size``, and a legend shows some."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    largest = max((point.size for point in points if point.size), default=None)
    areas = [LARGEST_AREA * point.size / largest if point.size and largest else PLAIN_AREA for point in points]
    for point, area in zip(points, areas, strict=True):
        style = _style(point.published)
        axes.scatter(point.x, point.y, s=area, zorder=3, **style)
        if point.error:
            axes.errorbar(point.x, point.y, yerr=point.error, color=style["edgecolor"], capsize=3, zorder=4)
    if max(point.x for point in points) > LOGARITHMIC * min(point.x for point in points):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.2, y=0.2)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    _add_legend(axes, points, largest if size_label else None, size_label)
    places = [(point.x, point.y) for point in points]
    label_bubbles(figure, axes, [point.label for point in points], places, [(area / pi) ** 0.5 for area in areas])
    return figure


def _style(published: bool) -> dict[str, Any]:
    color = PUBLISHED if published else OURS
    return {"facecolor": "none" if published else color, "edgecolor": color, "alpha": 0.75, "linewidth": 1.5}


def _add_legend(axes: Axes, points: Sequence[Point], largest: float | None, size_label: str) -> None:
    """Ours and published, and round sizes, outside of the chart."""
    kinds = {point.published for point in points}
    for published, label in ((False, "ours"), (True, "published")):
        if len(kinds) > 1:
            color = PUBLISHED if published else OURS
            face = "none" if published else color
            axes.scatter(
                [], [], s=PLAIN_AREA, facecolor=face, edgecolor=color, linewidth=1.5, alpha=0.75, label=label
            )
    if largest:
        for size in MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(0, largest)[1:]:
            if size <= largest:
                area = LARGEST_AREA * size / largest
                axes.scatter([], [], s=area, facecolor="none", edgecolor="0.5", label=f"{size:,.10g}")
    if axes.get_legend_handles_labels()[0]:
        title = f"area: {size_label}" if largest else None
        axes.legend(
            frameon=False,
            loc="upper left",
            bbox_to_anchor=(1, 1),
            title=title,
            labelspacing=2.4,
            borderpad=1.2,
            handletextpad=1.2,
        )
