"""Networks as bubbles: one figure of merit over another, the area a third."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from maxexp.base.languages.picture_text import picture_text
from maxexp.report.figures.labels import label_bubbles

OURS, PUBLISHED = "#4477aa", "#bb5566"
LARGEST_AREA, PLAIN_AREA, CENTER_AREA = 1400.0, 90.0, 5.0
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
    """The picture; areas are true to ``size``, and a legend shows some. Beside each bubble is its name, and its y."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    largest = max((point.size for point in points if point.size), default=None)
    areas = [LARGEST_AREA * point.size / largest if point.size and largest else PLAIN_AREA for point in points]
    for point, area in zip(points, areas, strict=True):
        style = _style(point.published)
        axes.scatter(point.x, point.y, s=area, zorder=3, **style)
        axes.scatter(point.x, point.y, s=CENTER_AREA, color=PUBLISHED if point.published else "white", zorder=4)
        if point.error:
            axes.errorbar(point.x, point.y, yerr=point.error, color=style["edgecolor"], capsize=3, zorder=4)
    if max(point.x for point in points) > LOGARITHMIC * min(point.x for point in points):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.2, y=0.2)
    axes.set(title=picture_text(title), xlabel=picture_text(x_label), ylabel=picture_text(y_label))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    _add_legend(axes, points, largest if size_label else None, size_label)
    places = [(point.x, point.y) for point in points]
    labels = [picture_text(f"{point.label}  {point.y:.4g}") for point in points]
    label_bubbles(figure, axes, labels, places, [(area / pi) ** 0.5 for area in areas])
    return figure


def _style(published: bool) -> dict[str, Any]:
    color = PUBLISHED if published else OURS
    return {"facecolor": "none" if published else color, "edgecolor": color, "alpha": 0.75, "linewidth": 1.5}


def _add_legend(axes: Axes, points: Sequence[Point], largest: float | None, size_label: str) -> None:
    """Ours and published, and round sizes, outside of the chart."""
    kinds = ((False, "ours"), (True, "published")) if len({point.published for point in points}) > 1 else ()
    bubbles = [axes.scatter([], [], s=PLAIN_AREA, label=label, **_style(published)) for published, label in kinds]
    beside: dict[str, Any] = {"frameon": False, "loc": "upper left", "alignment": "left"}
    first = axes.legend(handles=bubbles, bbox_to_anchor=(1, 1), **beside) if bubbles else None
    if not largest:
        return
    if first:
        axes.add_artist(first)  # the second one would take its place
    sizes = [s for s in MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(0, largest)[1:] if s <= largest]
    plain: dict[str, Any] = {"facecolor": "none", "edgecolor": "0.5"}
    circles = [axes.scatter([], [], s=LARGEST_AREA * s / largest, label=f"{s:,.10g}", **plain) for s in sizes]
    axes.legend(
        handles=circles,
        bbox_to_anchor=(1, 0.87),
        title="area: " + picture_text(size_label).replace(", ", ",\n"),
        labelspacing=2.4,
        borderpad=1.2,
        handletextpad=1.2,
        **beside,
    )
