"""One run on one page: how it learned, what it mistakes, how it uses its numbers, what it costs on the chip."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.image import imread

from maxexp.base.languages.picture_text import picture_text
from maxexp.chip.metrics import CYCLES
from maxexp.quantization.methods.layer_range import LayerRange
from maxexp.report.figures.histograms import PANELS_A_ROW, range_histograms
from maxexp.report.figures.plots import TRAIN_COLOR, Canvas, History, confusion_matrix, learning_curves
from maxexp.report.predictions import Predictions
from maxexp.report.summary import Row


@dataclass(frozen=True)
class RunParts:
    """What there is of a run; parts that are missing are left out of the picture.

    Attributes:
        rows: its results.
        curves: training and validation, if it was trained.
        qat_epoch: first quantization-aware epoch, from 0.
        cost: content of ``synthesis/cost.json``.
        memory_map: picture of the memory map.
    """

    title: str
    rows: Sequence[Row]
    curves: History
    qat_epoch: int | None = None
    predictions: Predictions | None = None
    cost: Mapping[str, Any] | None = None
    ranges: Sequence[LayerRange] = ()
    memory_map: Path | None = None


def run_picture(parts: RunParts) -> Figure:
    """The picture, as high as what it shows needs."""
    bands = [(3.9, [_results, *([_curves] if parts.curves else [])])]
    if parts.predictions or parts.cost:
        lower = [(parts.predictions, _confusion), (parts.cost, _cycles)]
        bands.append((5.6, [draw for part, draw in lower if part]))
    if parts.ranges:
        bands.append((0.9 + 1.9 * -(-len(parts.ranges) // PANELS_A_ROW), [_ranges]))
    if parts.memory_map:
        bands.append((7.0, [_memory_map]))
    heights = [height for height, _ in bands]
    figure = Figure(figsize=(13, 0.5 + sum(heights)), layout="constrained")
    figure.suptitle(picture_text(parts.title), fontsize=14)
    rows = figure.subfigures(len(bands), 1, height_ratios=heights, squeeze=False)[:, 0]
    for row, (_, drawings) in zip(rows, bands, strict=True):
        _draw_beside(row, drawings, parts)
    return figure


def _draw_beside(row: Canvas, drawings: Sequence[Callable[[Canvas, RunParts], None]], parts: RunParts) -> None:
    widths = [0.8 if draw is _results else 1.0 for draw in drawings]
    for canvas, draw in zip(
        row.subfigures(1, len(drawings), width_ratios=widths, squeeze=False)[0], drawings, strict=True
    ):
        draw(canvas, parts)


def _results(canvas: Canvas, parts: RunParts) -> None:
    axes = canvas.subplots()
    axes.set_axis_off()
    cells = [list(map(picture_text, (row.name, row.value, row.source))) for row in parts.rows]
    if cells:
        table = axes.table(cells, colWidths=[0.56, 0.26, 0.18], cellLoc="left", loc="center", edges="horizontal")
        table.auto_set_font_size(False)
        table.set_fontsize(8)
        table.scale(1, 1.25)


def _curves(canvas: Canvas, parts: RunParts) -> None:
    learning_curves(parts.curves, parts.qat_epoch, canvas)


def _confusion(canvas: Canvas, parts: RunParts) -> None:
    found = parts.predictions
    assert found is not None
    right = 1 - found.wrong.mean()
    confusion_matrix(
        found.confusion, found.classes, f"test images, {found.kind}: {100 * right:.2f} % correct", canvas
    )


def _cycles(canvas: Canvas, parts: RunParts) -> None:
    assert parts.cost is not None
    layers = [layer for layer in parts.cost["layers"] if layer["cycles"] is not None]
    axes = canvas.subplots()
    names = [picture_text(layer["name"]) for layer in layers]
    bars = axes.barh(names, [layer["cycles"] for layer in layers], color=TRAIN_COLOR)
    axes.bar_label(bars, [f"{layer['cycles']:,}" for layer in layers], padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    start = parts.cost["totals"][CYCLES.key] - sum(layer["cycles"] for layer in layers)
    device = picture_text(parts.cost["device"])
    axes.set(xlabel=f"cycles, and {start} to start", title=f"cycles of each layer on {device}")


def _ranges(canvas: Canvas, parts: RunParts) -> None:
    range_histograms(parts.ranges, canvas)


def _memory_map(canvas: Canvas, parts: RunParts) -> None:
    assert parts.memory_map is not None
    axes = canvas.subplots()
    axes.set_axis_off()
    axes.imshow(imread(parts.memory_map))
