"""The two pictures: training speed, and everything else."""

import os
from collections.abc import Callable

import evaluation
import growth
import overhead
import start
import training_speed
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PANELS: list[tuple[str, str, Callable[[Axes, dict], None]]] = [
    ("evaluation", "Integer evaluation", evaluation.draw),
    ("overhead", "Overhead over a bare loop", overhead.draw),
    ("start", "From the command to the first step", start.draw),
    ("training", "Memory of a training", training_speed.draw_memory),
    ("growth", "Time per epoch and the line through it", growth.draw_epochs),
    ("growth", "Memory over many epochs", growth.draw_memory),
]
COLUMNS = 3


def speed(table: dict) -> Figure:
    """Images per second of the training contestants."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    training_speed.draw_speed(axes, table)
    axes.set_title(f"Training NASCifarNet on CIFAR-10, {os.cpu_count()} CPU cores", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def details(results: dict) -> Figure:
    """A panel for each of the other results that there are."""
    panels = [panel for panel in PANELS if panel[0] in results]
    rows, columns = -(-len(panels) // COLUMNS), min(COLUMNS, len(panels))
    figure = Figure(figsize=(4.6 * columns, 3.8 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, (name, title, draw) in zip(grid, panels, strict=False):
        draw(axes, results[name])
        axes.set_title(title, fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    return figure
