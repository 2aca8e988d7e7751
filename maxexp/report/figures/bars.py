"""One figure of several rows as bars, with what each seed gave."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from maxexp.base.languages.picture_text import picture_text
from maxexp.report.figures.scatter import OURS, PUBLISHED


@dataclass(frozen=True)
class Bar:
    """A row.

    Attributes:
        value: the mean.
        seeds: what each seed gave; drawn as dots where there are several.
        published: someone else's figure, drawn hollow.
    """

    label: str
    value: float
    seeds: Sequence[float] = ()
    published: bool = False


def bars(title: str, label: str, values: Sequence[Bar], chance: float = 0) -> Figure:
    """The picture, from top to bottom in the order given.

    Args:
        chance: values between minus and plus this, shaded, may be chance.
    """
    figure = Figure(figsize=(8, 1.6 + 0.38 * len(values)), layout="constrained")
    axes = figure.subplots()
    if chance:
        axes.axvspan(-chance, chance, color="0.9", zorder=0, label="may be chance (two standard errors)")
    for row, bar in enumerate(values):
        color = PUBLISHED if bar.published else OURS
        axes.barh(row, bar.value, height=0.62, color="none" if bar.published else color, edgecolor=color, alpha=0.75)
        if len(bar.seeds) > 1:
            axes.scatter(bar.seeds, [row] * len(bar.seeds), s=16, color="black", zorder=3)
    if any(len(bar.seeds) > 1 for bar in values):
        axes.scatter([], [], s=16, color="black", label="single seeds")
    if axes.get_legend_handles_labels()[0]:
        figure.legend(frameon=False, loc="outside lower right", ncols=2)
    axes.axvline(0, color="0.2", lw=0.8)
    axes.set_yticks(range(len(values)), [picture_text(bar.label) for bar in values])
    axes.invert_yaxis()
    axes.set(title=picture_text(title), xlabel=picture_text(label))
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure
