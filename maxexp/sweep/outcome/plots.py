"""Pictures of a study."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxexp.base.languages.picture_text import picture_text
from maxexp.sweep.outcome.tables import short_name, text_of
from maxexp.sweep.search.config import Direction
from maxexp.sweep.search.space import Value
from maxexp.sweep.workers.results import Result, averaged, pareto_set
from maxexp.tracking.metrics import METRICS

TRIAL_COLOR, FRONT_COLOR, BASELINE_COLOR = "#4477aa", "#ee6677", "black"
COLORS = colormaps["viridis"]
ROOM = np.array([0.05, 0.04])
"""Of the number beside a point, as shares of the panel's width and height."""

ENOUGH_TRIALS = 30
"""Below it importances are mostly chance: with 8 trials a parameter that changes nothing got a share of 0.08."""

TRIAL = "trial"
"""Axis of trials by number, where there is one objective only."""


def pareto_plot(found: Sequence[Result], objectives: Mapping[str, Direction]) -> Figure:
    """Returns the complete trials by two objectives each, with what the Pareto set dominates bounded by steps; one:
    by trial."""
    pairs = list(combinations(objectives, 2)) or [(name, TRIAL) for name in objectives]
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
            drawstyle = "steps-post" if objectives[x] is Direction.minimize else "steps-pre"
            axes.plot(*zip(*line, strict=True), drawstyle=drawstyle, color=FRONT_COLOR, lw=1)
        axes.set(xlabel=_heading(x), ylabel=_heading(y))
        _number(axes, front, x, y)
        axes.grid(alpha=0.3)
    panels[0].legend(frameon=False)
    return figure


def _number(axes: Axes, front: Sequence[Result], x: str, y: str) -> None:
    """Numbers beside the points, the first of them first; none where it would be written over another."""
    taken: list[np.ndarray] = []
    for result in front:
        point = _of(result, x), _of(result, y)
        place = axes.transAxes.inverted().transform(axes.transData.transform(point))
        if all((abs(place - other) > ROOM).any() for other in taken):
            taken.append(place)
            axes.annotate(str(result.number), point, xytext=(3, 3), **_SMALL)


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


def hypervolume_plot(history: Sequence[tuple[int, float]]) -> Figure:
    """Draws the hypervolume by the number of complete trials."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.step([count for count, _ in history], [volume for _, volume in history], where="post", color=TRIAL_COLOR)
    axes.set(xlabel="complete trials", ylabel="hypervolume, share of the box from worst to best", ylim=(0, 1))
    axes.grid(alpha=0.3)
    return figure


def importance_plot(importances: Mapping[str, Mapping[str, Mapping[str, float]]], trials: int) -> Figure:
    """Draws the importance of each parameter: a column per objective, a row per condition under which it is
    searched.

    Args:
        trials: complete ones, from which it was computed; of fewer than ENOUGH_TRIALS the picture warns.
    """
    conditions = list(dict.fromkeys(condition for shares in importances.values() for condition in shares))
    sizes = [max(len(shares.get(condition, ())) for shares in importances.values()) for condition in conditions]
    figure = Figure(figsize=(5.5 * len(importances), sum(0.28 * size + 0.9 for size in sizes)), layout="constrained")
    grid = figure.subplots(
        len(conditions), len(importances), squeeze=False, sharex=True, height_ratios=[size + 2 for size in sizes]
    )
    for axes, condition in zip(grid, conditions, strict=True):
        for panel, (objective, shares) in zip(axes, importances.items(), strict=True):
            names = list(shares.get(condition, ()))[::-1]
            panel.barh(
                [picture_text(short_name(name)) for name in names],
                [shares[condition][n] for n in names],
                color=TRIAL_COLOR,
            )
            where = "" if len(conditions) == 1 else f", {condition}"
            panel.set(title=picture_text(f"{METRICS[objective].label}{where}"), xlim=(0, 1))
    for panel in grid[-1]:
        panel.set(xlabel="importance")
    if trials < ENOUGH_TRIALS:
        figure.suptitle(f"from {trials} trials only: not reliable below {ENOUGH_TRIALS}", color=FRONT_COLOR)
    return figure


def parallel_plot(found: Sequence[Result], objectives: Sequence[str]) -> Figure:
    """One line per complete trial through its parameters and objectives, coloured by rank in the first objective.

    Those of the Pareto set are thick.

    Trials with other parameters, those of another network, have a row of their own; a parameter that all trials of
    a row share stands in its title.
    """
    complete = sorted((r for r in found if r.losses), key=lambda r: r.losses or (), reverse=True)  # the best on top
    front = {number for r in pareto_set(found) for number in (r.number, *r.trials)}
    colors = {r.number: COLORS(1 - rank / len(complete)) for rank, r in enumerate(complete, 1)}
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in complete:
        groups.setdefault(tuple(sorted(result.params)), []).append(result)
    rows = [([*_varied(group), *objectives], group) for group in sorted(groups.values(), key=len, reverse=True)]
    width = max(6, 1.1 * max((len(names) for names, _ in rows), default=0))
    figure = Figure(figsize=(width, 4.5 * max(1, len(rows))), layout="constrained")
    figure.suptitle(f"the darker, the better in {METRICS[objectives[0]].label}; thick: Pareto set")
    for number, (names, group) in enumerate(rows, 1):
        axes = figure.add_subplot(len(rows), 1, number)
        columns = [_scaled([_cell(result, name) for result in group], axes, i) for i, name in enumerate(names)]
        for result, line in zip(group, np.array(columns).T, strict=True):
            width_of_line = 2.5 if result.number in front else 0.8
            axes.plot(range(len(names)), line, color=colors[result.number], lw=width_of_line, alpha=0.7)
        labels = [_heading(name) if name in objectives else picture_text(short_name(name)) for name in names]
        axes.set_xticks(range(len(names)), labels, rotation=30, ha="right", fontsize=8)
        axes.set(yticks=[], ylim=(-0.08, 1.08))
        shared = [f"{short_name(n)}={text_of(v)}" for n, v in group[0].params.items() if n not in names]
        axes.set_title(picture_text(", ".join(shared)), fontsize=8)
        for index in range(len(names)):
            axes.axvline(index, color="0.8", lw=1, zorder=0)
    return figure


def _varied(group: Sequence[Result]) -> list[str]:
    """Parameters in which trials differ."""
    return [name for name in group[0].params if len({r.params[name] for r in group}) > 1]


def _row_of_axes(count: int, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(5.5 * count, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, count)))


def _scaled(values: list[Value], axes: Axes, index: int) -> list[float]:
    """Values from 0 to 1, with the ends (or all choices) written beside the axis."""
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(numbers) == len(values):
        low, high = min(numbers), max(numbers)
        span = (high - low) or 1.0
        labels = {0.0: _end(low), (high - low) / span: _end(high)}
        scaled = [(v - low) / span for v in numbers]
    else:
        choices = sorted({text_of(v) for v in values})
        place = {text: i / max(len(choices) - 1, 1) for i, text in enumerate(choices)}
        labels = {y: text for text, y in place.items()}
        scaled = [place[text_of(v)] for v in values]
    for y, text in labels.items():
        # In front of the lines, on white: a number is read through none of them.
        axes.annotate(picture_text(text), (index, y), xytext=(3, 2), zorder=5, bbox=_WHITE, **_SMALL)
    return scaled


def _end(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _cell(result: Result, name: str) -> Value:
    return result.params[name] if name in result.params else _of(result, name)


def _of(result: Result, name: str) -> float:
    """A figure in the unit in which people read it."""
    return result.number if name == TRIAL else METRICS[name].form.scale * result.values[name]


def _spread(result: Result, name: str) -> float:
    """Returns the standard deviation over seeds, in the same unit."""
    return 0.0 if name == TRIAL else METRICS[name].form.scale * result.spread.get(name, 0.0)


def _heading(name: str) -> str:
    return name if name == TRIAL else picture_text(METRICS[name].heading)


_SMALL: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7, "color": "0.3"}
_WHITE: dict[str, Any] = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5}
