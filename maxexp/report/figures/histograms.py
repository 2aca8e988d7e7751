"""Weights and activations of a quantized network against the grid that the chip has for them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxexp.base.languages.picture_text import picture_text
from maxexp.quantization.methods.layer_range import BINS, REACH, LayerRange, Range
from maxexp.report.figures.plots import Canvas

WEIGHTS_COLOR, OUTPUTS_COLOR, CLIPPED_COLOR = "#4477aa", "#228833", "#cc3311"
PANELS_A_ROW = 4
RANGES_LABEL = (
    "values before rounding, in units of full scale: weights (blue, upwards), activations (green, downwards);\n"
    "shaded is what the chip's numbers hold, red what clips; above each panel how much clips"
)


def ranges_table(ranges: Sequence[LayerRange]) -> dict:
    """Returns the plain values for ``evaluation/ranges.json``."""
    return {"bins": BINS, "reach": REACH, "layers": [asdict(layer) for layer in ranges]}


def read_ranges(table: Mapping[str, Any]) -> list[LayerRange]:
    """Returns what :func:`ranges_table` was made of."""
    return [
        LayerRange(
            layer["name"],
            layer["bits"],
            Range(**layer["weights"]),
            Range(**layer["outputs"]) if layer["outputs"] else None,
        )
        for layer in table["layers"]
    ]


def range_histograms(ranges: Sequence[LayerRange], canvas: Canvas | None = None) -> Canvas:
    """One panel for each layer, on a figure of its own or on ``canvas``."""
    columns = min(PANELS_A_ROW, len(ranges))
    rows = ceil(len(ranges) / columns)
    figure = canvas or Figure(figsize=(0.5 + 3 * columns, 0.9 + 1.9 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, layer in zip(panels, ranges, strict=False):
        draw_ranges(axes, layer)
    for axes in panels[len(ranges) :]:
        axes.set_axis_off()
    figure.supxlabel(RANGES_LABEL, fontsize=9)
    return figure


def draw_ranges(axes: Axes, layer: LayerRange) -> None:
    """Weights above the axis, activations below it, the root of their counts; red is what clips."""
    edges = np.linspace(-REACH, REACH, BINS + 1)
    axes.axvspan(-1, 1, color="0.94", zorder=0)
    _draw(axes, edges, layer.weights, 1, WEIGHTS_COLOR)
    title = f"{picture_text(layer.name)}, {layer.bits} bits\n{share_text(layer.weights.clipped)} of weights"
    if layer.outputs is not None:
        _draw(axes, edges, layer.outputs, -1, OUTPUTS_COLOR)
        title += f", {share_text(layer.outputs.clipped)} of activations"
    axes.axhline(0, color="0.3", lw=0.6)
    axes.set_title(title, fontsize=8)
    axes.set(xlim=(-REACH, REACH), ylim=(-1.1, 1.1), yticks=[], xticks=[-1, 0, 1])


def share_text(share: float) -> str:
    """A share that clips; a small one is not rounded to none."""
    return "< 0.01 %" if 0 < share < 1e-4 else f"{100 * share:.2f} %" if share else "0 %"


def _draw(axes: Axes, edges: np.ndarray, values: Range, sign: int, color: str) -> None:
    # Rare large values are what clips; on a linear scale nobody would see them.
    heights = sign * np.sqrt(np.array(values.counts) / max(values.counts))
    outside = (edges[:-1] < -1 - 1e-9) | (edges[1:] > 1 + 1e-9)
    axes.stairs(np.where(outside, 0, heights), edges, fill=True, color=color)
    axes.stairs(np.where(outside, heights, 0), edges, fill=True, color=CLIPPED_COLOR)
