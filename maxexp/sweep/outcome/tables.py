"""Trials as tables: whole for programs, by their figures with units for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from maxexp.report.pareto import dominates
from maxexp.sweep.search.repeats import without_seed
from maxexp.sweep.search.sampling import frozen
from maxexp.sweep.workers.results import Result
from maxexp.tasks.metrics import SELECTING
from maxexp.tracking.metrics import METRICS


def row(result: Result) -> dict[str, Any]:
    """A trial as a flat row, by the names of metrics and keys."""
    return {
        "trial": result.number,
        "outcome": result.outcome,
        **result.values,
        **result.tested,
        **result.params,
        **({"seeds": len(result.trials)} if result.trials else {}),
        **{f"{name}/sd": value for name, value in result.spread.items()},
        **{f"constraint/{name}": value for name, value in result.constraints.items()},
        "seconds": result.seconds,
        "reason": result.reason,
        "run_id": result.run_id,
    }


def table_csv(found: Sequence[Result]) -> str:
    """Trials as CSV; a column for everything that any of them has."""
    rows = [row(result) for result in found]
    columns = list(dict.fromkeys(key for each in rows for key in each))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or ["trial"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def figures(found: Sequence[Result], objectives: Sequence[str], earlier: Sequence[Result] = ()) -> list[list[str]]:
    """A heading and a line per trial or mean of trials: objectives, score on the chip, baseline, parameters.

    Args:
        earlier: trials of the first phase, where these are of the second: each line names the one that it finishes.
    """
    integers = (score.test_integer.key for score in SELECTING.values())
    tested = [key for key in integers if any(key in result.tested for result in found)]
    names = list(dict.fromkeys([*objectives, *tested]))
    baseline = next((r for r in found if r.baseline and r.losses), None)
    beside = ["beside the baseline"] if baseline else []
    numbers = {frozen(result.params): str(result.number) for result in earlier}
    first = ["trial, first phase"] if earlier else []
    lines = [["trial", *first, *(METRICS[name].heading for name in names), *beside, "parameters"]]
    common = shared(found)
    for result in found:
        known = {**result.tested, **result.values}
        cells = [_figure(name, known[name], result.spread.get(name)) if name in known else "" for name in names]
        trials = ", ".join(map(str, result.trials or (result.number,)))
        first = [numbers.get(frozen(without_seed(result.params)), "")] if earlier else []
        beside = [_beside(result, baseline, names)] if baseline else []
        own = " ".join(each for each in assignments(result) if each not in common)
        lines.append([trials, *first, *cells, *beside, own])
    return lines


def shared(found: Sequence[Result]) -> list[str]:
    """Returns what all of several trials have, as ``seed=1``: no column of a table need repeat it."""
    if len(found) < 2:
        return []
    first, *others = [assignments(result) for result in found]
    return [each for each in first if all(each in other for other in others)]


def _figure(name: str, value: float, spread: float | None) -> str:
    """A value with its spread over seeds; what no seed changes has none."""
    form = METRICS[name].form
    return form.text(value) + form.spread(spread or 0.0)


def assignments(result: Result) -> list[str]:
    """Returns ``model.layers.conv1.kernel_size=3`` for each parameter, as it can be typed."""
    return [f"{key(name)}={text_of(value)}" for name, value in result.params.items()]


def line(result: Result) -> str:
    """A trial in one line for the terminal."""
    measured = ", ".join(
        f"{METRICS[name].label} {METRICS[name].with_unit(value)}" for name, value in result.values.items()
    )
    detail = measured if result.outcome == "complete" else (result.reason or "")
    return f"{result.outcome}: {detail} | {' '.join(assignments(result))}"


def key(parameter: str) -> str:
    """The key that a parameter sets; its name may hold the condition under which it is searched, too."""
    return parameter.partition(" [")[0]


def short_name(parameter: str) -> str:
    """A parameter's key as pictures have room for it."""
    return key(parameter).removeprefix("model.layers.")


def _beside(result: Result, baseline: Result, names: Sequence[str]) -> str:
    """Returns how far a trial's figures are above or below the baseline's, and whether it dominates it."""
    if result.baseline:
        return "the baseline"
    mine, other = ({**r.tested, **r.values} for r in (result, baseline))
    changes = {name: mine[name] - other[name] for name in names if name in mine and name in other}
    differences = [METRICS[name].form.differences.with_unit(change) for name, change in changes.items()]
    better = result.losses and dominates(np.array(result.losses), np.array(baseline.losses))
    return ("dominates: " if better else "") + ", ".join(differences)


def text_of(value: object) -> str:
    """A parameter's value as it stands in an override."""
    return "null" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
