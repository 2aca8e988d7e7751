"""What came of a sweep, as files: tables, pictures, and the page that shows them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import optuna
from matplotlib.figure import Figure

from maxexp.base.languages.markdown import markdown_code, markdown_table, markdown_text
from maxexp.base.languages.shell import shell_command
from maxexp.base.secrets import values_without_secrets
from maxexp.sweep.outcome.plots import history_plot, hypervolume_plot, importance_plot, parallel_plot, pareto_plot
from maxexp.sweep.outcome.progress import progress_line
from maxexp.sweep.outcome.tables import figures, row, shared, table_csv
from maxexp.sweep.workers.attributes import OUTCOME, PARENT_RUN
from maxexp.sweep.workers.results import Result, averaged, hypervolume_history, pareto_set, results
from maxexp.sweep.workers.study import SweepStudy
from maxexp.tracking.provenance import described_code
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store

FINAL_FOLDER = "final"
"""Of the second phase, within the folder of the first."""

PAGE = "results.md"
SHOWN = 10
"""Trials that are shown where there is one objective."""


def sweep_files(studies: Sequence[SweepStudy]) -> dict[str, str | Figure]:
    """Tables and pictures of all phases, by path."""
    return {
        str(PurePosixPath(folder, name)): content
        for folder, study in zip(("", FINAL_FOLDER), studies, strict=False)
        for name, content in study_files(study).items()
    }


def study_files(study: SweepStudy) -> dict[str, str | Figure]:
    """Tables and pictures of one study, by name."""
    found = results(study)
    front, volumes = pareto_set(found), hypervolume_history(found)
    objectives = study.plan.settings.objectives
    files: dict[str, str | Figure] = {
        "trials.csv": table_csv(found),
        "pareto.csv": table_csv(front),
        "pareto.json": json.dumps([row(result) for result in front], indent=1) + "\n",
        "pareto.png": pareto_plot(found, objectives),
        "history.png": history_plot(found, objectives),
        "parallel_coordinates.png": parallel_plot(found, list(objectives)),
        # No metric of the run: later trials change the box that the whole curve is a share of.
        "hypervolume.json": json.dumps(volumes) + "\n",
        "hypervolume.png": hypervolume_plot(volumes),
    }
    if shares := importances(study):
        files["importances.json"] = json.dumps(shares, indent=1) + "\n"
        complete = sum(result.outcome == "complete" for result in found)
        files["importances.png"] = importance_plot(shares, complete)
    return files


def tables(study: SweepStudy, earlier: Sequence[Result] = ()) -> str:
    """Returns how far a study is, and its Pareto set with the baseline, as Markdown.

    Args:
        earlier: trials of the first phase, where this study is the second.
    """
    found = results(study)
    shown = best(found)
    common = f" All below have {markdown_code(' '.join(shared(shown)))}." if shared(shown) else ""
    lines = figures(shown, list(study.plan.settings.objectives), earlier)
    heading, *rows = [list(map(markdown_text, line)) for line in lines]
    return f"{progress_line(study, found)}.{common}\n\n{markdown_table(heading, rows)}"


def best(found: Sequence[Result]) -> list[Result]:
    """The Pareto set, of a single objective the first trials by it; and the baseline, whether it is there or not."""
    front = pareto_set(found)
    if front and len(front[0].losses or ()) == 1:
        front = sorted(averaged(found), key=lambda result: result.losses or ())[:SHOWN]
    return [*front, *(r for r in averaged(found) if r.baseline and r not in front)]


def page(studies: Sequence[SweepStudy], files: Sequence[str]) -> str:
    """The page of a committed report: how it was made, the Pareto sets, the pictures.

    Raises:
        TrackingError: the sweep's run cannot be read.
    """
    first = studies[0]
    command = shell_command(["python", "-m", "maxexp", "-m", *values_without_secrets(first.plan.command)])
    parts = [f"# Sweep {markdown_text(first.name)}", f"```sh\n{command}\n```", origin(first)]
    for heading, study in zip(("Pareto set", "Second phase"), studies, strict=False):
        overrides = shell_command(study.plan.overrides[len(first.plan.overrides) :])
        earlier = [] if study is first else results(first)
        parts += [
            f"## {heading}",
            *([f"Under {markdown_code(overrides)}:"] if overrides else []),
            tables(study, earlier),
        ]
    parts += [f"![{PurePosixPath(name).stem.replace('_', ' ')}]({name})" for name in files if name.endswith(".png")]
    return "\n\n".join(parts) + "\n"


def origin(study: SweepStudy) -> str:
    """Returns the date, machine, versions and commit, from the sweep's run."""
    begun = min((t.datetime_start for t in study.trials() if t.datetime_start), default=None)
    if begun is None:
        return "No trial has begun yet."
    store = open_store(study.plan.compose_first().tracking)
    tags = read_run(store, study.attribute(PARENT_RUN)).tags
    versions = [f"{name} {tags[f'version.{name}']}" for name in ("torch", "optuna") if f"version.{name}" in tags]
    return (
        f"Begun on {begun:%Y-%m-%d} on {tags.get('cores')} cores ({tags.get('cpu')}), maxexp "
        f"{tags.get('maxexp.version')} at commit {described_code(tags, length=10)}, {', '.join(versions)}."
    )


def importances(study: SweepStudy) -> dict[str, dict[str, dict[str, float]]]:
    """Returns the importance of each parameter (PED-ANOVA), by objective and by the condition under which it is
    searched.

    Parameters of one condition are compared with one another, among the trials that have them. There is none where
    the trials are too few to tell.
    """
    measured = optuna.create_study(directions=study.study.directions)
    measured.add_trials([t for t in study.trials() if t.user_attrs.get(OUTCOME) == "complete"])
    shares: dict[str, dict[str, dict[str, float]]] = {}
    for index, objective in enumerate(study.plan.settings.objectives):
        for condition, names in study.plan.space.by_condition().items():
            try:
                with warnings.catch_warnings(action="ignore"):
                    found = optuna.importance.get_param_importances(measured, params=names, target=_value(index))
            except (ValueError, RuntimeError):
                continue
            shares.setdefault(objective, {})[condition] = {key: float(value) for key, value in found.items()}
    return shares


def _value(index: int) -> Any:
    return lambda trial: trial.values[index]
