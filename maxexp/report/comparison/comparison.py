"""Runs as rows, figures as columns, and what must be said about both."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, nan

import numpy as np

from maxexp.base.metrics import Metric
from maxexp.chip.metrics import LATENCY, WEIGHT_MEMORY
from maxexp.report.comparison.collect import VALIDATED, RunDetails, judging_metric, rank
from maxexp.report.comparison.differences import differing_keys
from maxexp.report.comparison.names import common_words, without
from maxexp.report.pareto import pareto_mask
from maxexp.schema.identity import Identity
from maxexp.tasks.metrics import selecting_score
from maxexp.tracking.metrics import RESULTS
from maxexp.tracking.owner import possibly_alive
from maxexp.tracking.sweep_tags import stopped_early


@dataclass(frozen=True)
class Comparison:
    """Runs to be shown beside one another.

    Attributes:
        runs: the most accurate first, those without a test accuracy last; their names without what all have in
            common.
        accuracy: what runs are drawn and ranked by: of the test images, unless no run has looked at them.
        metrics: those that at least one run has; that accuracy and the main ones first.
        best: run ids by metric, of the best values among runs on the same data not stopped early; only where
            values differ.
        front: ids of those runs that none of them beats in accuracy, latency and weight memory at once.
        differing: keys of the configuration in which the runs differ.
        notes: sentences about runs that are missing, unfinished or hard to compare.
    """

    runs: Sequence[RunDetails]
    accuracy: Metric
    metrics: Sequence[Metric]
    best: dict[str, set[str]]
    front: set[str]
    differing: Sequence[str]
    notes: Sequence[str]


def compare(runs: Iterable[RunDetails], notes: Sequence[str] = ()) -> Comparison:
    """Puts runs beside one another.

    Args:
        notes: what is known about runs that are not among them.
    """
    rows = sorted(runs, key=lambda details: rank(details.run), reverse=True)
    common = common_words([details.run.name for details in rows])
    rows = [replace(details, run=replace(details.run, name=without(details.run.name, common))) for details in rows]
    accuracy = judging_metric(details.run for details in rows)
    ordered = dict.fromkeys((accuracy, *RESULTS))
    metrics = [metric for metric in ordered if any(metric.key in details.run.metrics for details in rows)]
    best: dict[str, set[str]] = {metric.key: set() for metric in metrics}
    front: set[str] = set()
    for dataset in {details.dataset for details in rows}:
        # A network that a sweep stopped early is no answer, however fast it is.
        alike = [d for d in rows if d.dataset == dataset and not stopped_early(d.run.tags)]
        front |= _front(accuracy, alike)
        for metric in metrics:
            best[metric.key] |= _best(metric, alike)
    differing = differing_keys([details.run.params for details in rows])
    said = [*notes, *_accuracy_notes(accuracy, rows), *_notes(rows, common)]
    return Comparison(rows, accuracy, metrics, best, front, differing, said)


def status(details: RunDetails) -> str:
    """The run's status in plain words; a run that a sweep stopped early is not called finished."""
    run = details.run
    if run.status == "RUNNING":
        return "running" if possibly_alive(run.tags) else "died"
    return stopped_early(run.tags) or run.status.lower()


def _best(metric: Metric, runs: Sequence[RunDetails]) -> set[str]:
    values = {d.run.run_id: d.run.metrics.get(metric.key, nan) for d in runs}
    values = {run_id: value for run_id, value in values.items() if isfinite(value)}
    if not metric.better or len(set(values.values())) < 2:
        return set()
    wanted = max(values.values()) if metric.better > 0 else min(values.values())
    return {run_id for run_id, value in values.items() if value == wanted}


def _front(accuracy: Metric, runs: Sequence[RunDetails]) -> set[str]:
    objectives = (accuracy, LATENCY, WEIGHT_MEMORY)
    complete = [d.run for d in runs if all(q.key in d.run.metrics for q in objectives)]
    losses = np.array([[-q.better * run.metrics[q.key] for q in objectives] for run in complete])
    front = pareto_mask(losses.reshape(-1, len(objectives)))
    return {run.run_id for run, on_front in zip(complete, front, strict=True) if on_front}


def _accuracy_notes(accuracy: Metric, rows: Sequence[RunDetails]) -> list[str]:
    ranks = [rank(details.run) for details in rows]
    if accuracy in VALIDATED and len(rows) > 1:
        return [f"No run was evaluated on test images: they are ranked and drawn by {accuracy.name}."]
    if any(test == -inf < validation for _, test, validation in ranks):
        return [f"Runs without a test {accuracy.label.partition(',')[0]} come last, ranked by that of validation."]
    return []


def _notes(rows: Sequence[RunDetails], common: Sequence[str]) -> list[str]:
    notes = [_unfinished(details) for details in rows if details.run.status != "FINISHED"]
    for state, count in Counter(filter(None, (stopped_early(details.run.tags) for details in rows))).items():
        notes.append(f"Called {state} by their sweep, which gave them up: {count} run{'s' if count > 1 else ''}.")
    if common:
        notes.append(f"Left out of all names: {' '.join(common)}.")
    models, datasets = ({getattr(d, kind) for d in rows} for kind in ("model", "dataset"))
    if len(models) > 1:
        names = ", ".join(sorted(models))
        notes.append(f"The runs are of {len(models)} networks ({names}): their layers are not compared one by one.")
    if len(datasets) > 1:
        names = ", ".join(sorted(datasets))
        notes.append(f"The runs are on {len(datasets)} data sets ({names}): best values are those of each.")
    if any(not d.curves and selecting_score(d.run.params).validation.key in d.run.metrics for d in rows):
        curved = sum(bool(d.curves) for d in rows)
        notes.append(f"Learning curves are those of the first {curved} runs.")
    versions = {Identity.recorded({}, {}, d.run.tags).results for d in rows}
    if len(versions) > 1:
        names = ", ".join(sorted(versions))
        notes.append(f"The runs are of {len(versions)} versions of results ({names}): other code, other figures.")
    for dataset in sorted(datasets):
        for part in ("test", "validation"):
            seen = {d.run.data.get(f"{dataset}-{part}") for d in rows if d.dataset == dataset} - {None}
            if len(seen) > 1:
                notes.append(f"Runs on {dataset} have {len(seen)} different sets of {part} images.")
    return notes


def _unfinished(details: RunDetails) -> str:
    run, state = details.run, status(details)
    if state == "running":
        return f"Run {run.name} is still running: its figures are those of now."
    if state == "died":
        return f"Run {run.name} claims to be running, but its process is gone: its figures are incomplete."
    reason = run.tags.get("error") or run.tags.get("killed.reason") or "no reason recorded"
    return f"Run {run.name} {'was killed' if state == 'killed' else state} ({reason}): its figures are incomplete."
