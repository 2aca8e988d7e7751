"""Pictures of one run."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure

from maxexp.base.languages.picture_text import picture_text
from maxexp.tracking.metrics import CURVE_PANELS

History = Mapping[str, Sequence[tuple[int, float]]]
"""(epoch, value) pairs by metric name."""

TRAIN_COLOR, VALIDATION_COLOR = "#4477aa", "#ee6677"
PARTS = {"train": ("training", TRAIN_COLOR), "val": ("validation", VALIDATION_COLOR)}
"""Label and color of a curve, by the group of its metric."""
MAX_LABELLED_CLASSES = 20


Canvas = Figure | SubFigure


def learning_curves(history: History, qat_epoch: int | None = None, canvas: Canvas | None = None) -> Canvas:
    """Each quantity over the epochs, training and validation in one panel.

    Args:
        qat_epoch: first quantization-aware epoch, marked by a line.
        canvas: to draw on; a figure of its own by default.
    """
    figure = canvas or Figure(figsize=(10, 4), layout="constrained")
    panels = {
        quantity: curves
        for quantity, curves in CURVE_PANELS.items()
        if any(history.get(curve.key) for curve in curves)
    }
    columns = figure.subplots(1, max(1, len(panels)), squeeze=False)[0]
    for axes, (quantity, curves) in zip(columns, panels.items(), strict=False):
        for curve in curves:
            points, (label, color) = history.get(curve.key, ()), PARTS[curve.group]
            epochs, values = [epoch + 1 for epoch, _ in points], [curve.form.scale * value for _, value in points]
            axes.plot(epochs, values, color=color, label=label, marker="o" if len(points) < 20 else None, ms=3)
        if qat_epoch is not None:
            axes.axvline(qat_epoch + 0.5, color="0.4", lw=1, ls="--", label="quantization-aware from here")
        axes.set(xlabel="epoch", ylabel=curves[0].form.heading(quantity))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def confusion_matrix(counts: np.ndarray, classes: Sequence[str], title: str, canvas: Canvas | None = None) -> Canvas:
    """Returns the share of each true class (rows) that was predicted as each class (columns).

    Args:
        counts: (classes, classes) images.
        title: what was evaluated.
        canvas: to draw on; a figure of its own by default.
    """
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    small = len(classes) <= MAX_LABELLED_CLASSES
    side = 1.5 + 0.55 * len(classes) if small else 11
    figure = canvas or Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100)
    figure.colorbar(image, ax=axes, label="share of the true class [%]", fraction=0.046)
    ticks = range(len(classes))
    size = 9 if small else 5
    names = list(map(picture_text, classes))
    axes.set_xticks(ticks, names, rotation=90, fontsize=size)
    axes.set_yticks(ticks, names, fontsize=size)
    axes.set(xlabel="predicted", ylabel="true", title=picture_text(title))
    if small:
        for row, column in np.ndindex(*shares.shape):
            share = 100 * shares[row, column]
            if share >= 0.5:
                color = "white" if share > 50 else "black"
                axes.text(column, row, f"{share:.0f}", ha="center", va="center", fontsize=8, color=color)
    return figure
