"""Pictures of a study."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxexp.sweep.config import Direction
from maxexp.sweep.results import Result, hypervolume_history, pareto_set
from maxexp.sweep.space import Value

TRIAL_COLOR, FRONT_COLOR = "#4477aa", "#ee6677"
LABELLED = 12
"""Points of a Pareto set that are numbered in the picture, at most."""


def pareto_plot(found: Sequence[Result], objectives: Sequence[str]) -> Figure:
    """Complete trials by two objectives each, the Pareto set joined by a line; one objective: by trial."""
    pairs = list(combinations(objectives, 2)) or [("trial", objectives[0])]
    figure = Figure(figsize=(5.5 * len(pairs), 4.5), layout="constrained")
    front = pareto_set(found)
    complete = [result for result in found if result.outcome == "complete"]
    for axes, (y, x) in zip(np.atleast_1d(figure.subplots(1, len(pairs))), pairs, strict=True):
        for results, color, label in ((complete, TRIAL_COLOR, "trials"), (front, FRONT_COLOR, "Pareto set")):
            axes.scatter([_of(r, x) for r in results], [_of(r, y) for r in results], s=18, color=color, label=label)
        line = sorted((_of(r, x), _of(r, y)) for r in front)
        if len(pairs) == 1 and line and len(objectives) == 2:
            axes.plot(*zip(*line, strict=True), color=FRONT_COLOR, lw=1)
        for result in front[:LABELLED]:
            axes.annotate(str(result.number), (_of(result, x), _of(result, y)), xytext=(3, 3), **_SMALL)
        axes.set(xlabel=x, ylabel=y)
        axes.grid(alpha=0.3)
    figure.axes[0].legend(frameon=False)
    return figure


def history_plot(found: Sequence[Result], objectives: Mapping[str, Direction]) -> Figure:
    """Each objective by the number of the trial, with the best so far."""
    figure = Figure(figsize=(5.5 * len(objectives), 4), layout="constrained")
    complete = [result for result in found if result.outcome == "complete"]
    for axes, (name, direction) in zip(
        np.atleast_1d(figure.subplots(1, len(objectives))), objectives.items(), strict=True
    ):
        numbers, values = [r.number for r in complete], [r.values[name] for r in complete]
        best = np.minimum.accumulate if direction is Direction.minimize else np.maximum.accumulate
        axes.scatter(numbers, values, s=14, color=TRIAL_COLOR)
        if values:
            axes.step(numbers, best(values), where="post", color=FRONT_COLOR, label="best so far")
            axes.legend(frameon=False)
        axes.set(xlabel="trial", ylabel=name)
        axes.grid(alpha=0.3)
    return figure


def hypervolume_plot(found: Sequence[Result]) -> Figure:
    """Hypervolume by the number of complete trials."""
    history = hypervolume_history(found)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.step([count for count, _ in history], [volume for _, volume in history], where="post", color=TRIAL_COLOR)
    axes.set(xlabel="complete trials", ylabel="hypervolume")
    axes.grid(alpha=0.3)
    return figure


def importance_plot(importances: Mapping[str, Mapping[str, float]]) -> Figure:
    """Importance of each parameter for each objective."""
    figure = Figure(figsize=(6 * len(importances), 4), layout="constrained")
    for axes, (objective, shares) in zip(
        np.atleast_1d(figure.subplots(1, len(importances))), importances.items(), strict=True
    ):
        names = list(shares)[::-1]
        axes.barh(names, [shares[name] for name in names], color=TRIAL_COLOR)
        axes.set(xlabel="importance", title=objective, xlim=(0, 1))
    return figure


def parallel_plot(found: Sequence[Result], objectives: Sequence[str]) -> Figure:
    """One line per complete trial through its parameters and objectives, coloured by the first objective."""
    complete = [result for result in found if result.outcome == "complete"]
    names = [*dict.fromkeys(name for result in complete for name in result.params), *objectives]
    figure = Figure(figsize=(max(6, 1.6 * len(names)), 5), layout="constrained")
    axes = figure.subplots()
    columns = [
        _scaled([{**r.params, **r.values}.get(name) for r in complete], axes, i) for i, name in enumerate(names)
    ]
    if complete:
        colors = columns[names.index(objectives[0])]
        lines = np.array(columns).T
        for line, color in sorted(zip(lines, colors, strict=True), key=lambda pair: pair[1]):
            axes.plot(range(len(names)), line, color=_color(color), lw=1, alpha=0.7)
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=8)
    axes.set(yticks=[], ylim=(-0.08, 1.08), title=f"coloured by {objectives[0]}")
    for index in range(len(names)):
        axes.axvline(index, color="0.8", lw=1, zorder=0)
    return figure


def _scaled(values: list[Value], axes: Axes, index: int) -> list[float]:
    """Values from 0 to 1, with the ends (or all choices) written beside the axis; NaN where there is none."""
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    known = [v for v in values if v is not None]
    if len(numbers) == len(known) and numbers:
        low, high = min(numbers), max(numbers)
        span = (high - low) or 1.0
        labels = {0.0: f"{low:.4g}", (high - low) / span: f"{high:.4g}"}
        scaled = [np.nan if v is None else (float(v) - low) / span for v in values]
    else:
        choices = sorted({str(v) for v in known})
        place = {text: i / max(len(choices) - 1, 1) for i, text in enumerate(choices)}
        labels = {y: text for text, y in place.items()}
        scaled = [np.nan if v is None else place[str(v)] for v in values]
    for y, text in labels.items():
        axes.annotate(text, (index, y), xytext=(3, 2), **_SMALL)
    return scaled


def _of(result: Result, name: str) -> float:
    return result.number if name == "trial" else result.values[name]


def _color(share: float) -> tuple[float, float, float]:
    """From blue to red."""
    low, high = np.array([0.27, 0.47, 0.67]), np.array([0.93, 0.40, 0.47])
    red, green, blue = low + (high - low) * (0.0 if np.isnan(share) else share)
    return float(red), float(green), float(blue)


_SMALL: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7, "color": "0.3"}
