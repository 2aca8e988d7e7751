"""Pictures of a study."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import nan
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxexp.report.quantities import quantity
from maxexp.sweep.config import Direction
from maxexp.sweep.results import Result, averaged, hypervolume_history, pareto_set
from maxexp.sweep.space import Value
from maxexp.sweep.tables import short_name

TRIAL_COLOR, FRONT_COLOR, BASELINE_COLOR = "#4477aa", "#ee6677", "black"
COLORS = colormaps["viridis"]
LABELLED = 12
"""Points of a Pareto set that are numbered in the picture, at most."""

TRIAL = "trial"
"""Axis of trials by number, where there is one objective only."""


def pareto_plot(found: Sequence[Result], objectives: Sequence[str]) -> Figure:
    """Complete trials by two objectives each, the Pareto set joined by a line; one objective: by trial."""
    pairs = list(combinations(objectives, 2)) or [(objectives[0], TRIAL)]
    figure, panels = _row_of_axes(len(pairs), 4.5)
    front = pareto_set(found)
    complete = [result for result in found if result.outcome == "complete"]
    baseline = [result for result in averaged(found) if result.baseline]
    for axes, (y, x) in zip(panels, pairs, strict=True):
        for results, color, label in ((complete, TRIAL_COLOR, "trials"), (front, FRONT_COLOR, "Pareto set")):
            axes.scatter([_of(r, x) for r in results], [_of(r, y) for r in results], s=18, color=color, label=label)
        style: dict[str, Any] = {
            "marker": "*",
            "s": 120,
            "facecolor": "none",
            "edgecolor": BASELINE_COLOR,
            "label": "baseline",
        }
        for result in baseline:
            axes.scatter(_of(result, x), _of(result, y), **style)
        for result in (r for r in front if r.spread):
            across, up = _spread(result, x), _spread(result, y)
            axes.errorbar(_of(result, x), _of(result, y), xerr=across, yerr=up, color=FRONT_COLOR, lw=1)
        line = sorted((_of(r, x), _of(r, y)) for r in front)
        if line and len(objectives) == 2:
            axes.plot(*zip(*line, strict=True), color=FRONT_COLOR, lw=1)
        for result in front[:LABELLED]:
            axes.annotate(str(result.number), (_of(result, x), _of(result, y)), xytext=(3, 3), **_SMALL)
        axes.set(xlabel=_heading(x), ylabel=_heading(y))
        axes.grid(alpha=0.3)
    panels[0].legend(frameon=False)
    return figure


def history_plot(found: Sequence[Result], objectives: Mapping[str, Direction]) -> Figure:
    """Each objective by the number of the trial, with the best so far."""
    figure, panels = _row_of_axes(len(objectives), 4)
    complete = [result for result in found if result.outcome == "complete"]
    for axes, (name, direction) in zip(panels, objectives.items(), strict=True):
        numbers, values = [r.number for r in complete], [_of(r, name) for r in complete]
        best = np.minimum.accumulate if direction is Direction.minimize else np.maximum.accumulate
        axes.scatter(numbers, values, s=14, color=TRIAL_COLOR)
        if values:
            axes.step(numbers, best(values), where="post", color=FRONT_COLOR, label="best so far")
            axes.legend(frameon=False)
        axes.set(xlabel=TRIAL, ylabel=_heading(name))
        axes.grid(alpha=0.3)
    return figure


def hypervolume_plot(found: Sequence[Result]) -> Figure:
    """Hypervolume by the number of complete trials."""
    history = hypervolume_history(found)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.step([count for count, _ in history], [volume for _, volume in history], where="post", color=TRIAL_COLOR)
    axes.set(xlabel="complete trials", ylabel="hypervolume, share of the box from worst to best", ylim=(0, 1))
    axes.grid(alpha=0.3)
    return figure


def importance_plot(importances: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Figure:
    """Importance of each parameter: a column per objective, a row per condition under which it is searched."""
    conditions = list(dict.fromkeys(condition for shares in importances.values() for condition in shares))
    sizes = [max(len(shares.get(condition, ())) for shares in importances.values()) for condition in conditions]
    figure = Figure(figsize=(5.5 * len(importances), sum(0.28 * size + 0.9 for size in sizes)), layout="constrained")
    grid = figure.subplots(
        len(conditions), len(importances), squeeze=False, sharex=True, height_ratios=[size + 2 for size in sizes]
    )
    for axes, condition in zip(grid, conditions, strict=True):
        for panel, (objective, shares) in zip(axes, importances.items(), strict=True):
            names = list(shares.get(condition, ()))[::-1]
            panel.barh([short_name(name) for name in names], [shares[condition][n] for n in names], color=TRIAL_COLOR)
            where = "" if len(conditions) == 1 else f", {condition}"
            panel.set(title=f"{quantity(objective).label}{where}", xlim=(0, 1))
    for panel in grid[-1]:
        panel.set(xlabel="importance")
    return figure


def parallel_plot(found: Sequence[Result], objectives: Sequence[str]) -> Figure:
    """One line per complete trial through its parameters and objectives, coloured by rank in the first objective."""
    complete = sorted((r for r in found if r.losses), key=lambda r: r.losses or (), reverse=True)  # the best on top
    names = [*dict.fromkeys(name for result in complete for name in result.params), *objectives]
    figure = Figure(figsize=(max(6, 1.1 * len(names)), 5), layout="constrained")
    axes = figure.subplots()
    columns = [_scaled([_cell(result, name) for result in complete], axes, i) for i, name in enumerate(names)]
    if complete:
        for rank, line in enumerate(np.array(columns).T, 1):
            axes.plot(range(len(names)), line, color=COLORS(1 - rank / len(complete)), lw=1, alpha=0.7)
    labels = [_heading(name) if name in objectives else short_name(name) for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=30, ha="right", fontsize=8)
    axes.set(yticks=[], ylim=(-0.08, 1.08), title=f"the darker, the better in {quantity(objectives[0]).label}")
    for index in range(len(names)):
        axes.axvline(index, color="0.8", lw=1, zorder=0)
    return figure


def _row_of_axes(count: int, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(5.5 * count, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, count)))


def _scaled(values: list[Value], axes: Axes, index: int) -> list[float]:
    """Values from 0 to 1, with the ends (or all choices) written beside the axis; NaN where there is none."""
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    known = [v for v in values if v is not None]
    if len(numbers) == len(known) and numbers:
        low, high = min(numbers), max(numbers)
        span = (high - low) or 1.0
        labels = {0.0: f"{low:.4g}", (high - low) / span: f"{high:.4g}"}
        scaled = [nan if v is None else (float(v) - low) / span for v in values]
    else:
        choices = sorted({str(v) for v in known})
        place = {text: i / max(len(choices) - 1, 1) for i, text in enumerate(choices)}
        labels = {y: text for text, y in place.items()}
        scaled = [nan if v is None else place[str(v)] for v in values]
    for y, text in labels.items():
        axes.annotate(text, (index, y), xytext=(3, 2), **_SMALL)
    return scaled


def _cell(result: Result, name: str) -> Value:
    return result.params[name] if name in result.params else _of(result, name) if name in result.values else None


def _of(result: Result, name: str) -> float:
    """A figure in the unit in which people read it."""
    return result.number if name == TRIAL else quantity(name).scale * result.values[name]


def _spread(result: Result, name: str) -> float:
    """Standard deviation over seeds, in the same unit."""
    return quantity(name).scale * result.spread.get(name, 0.0)


def _heading(name: str) -> str:
    return quantity(name).heading


_SMALL: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7, "color": "0.3"}
