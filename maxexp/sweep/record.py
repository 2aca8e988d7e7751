"""The parent run of a sweep: what was asked for, how it goes, what came of it."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import yaml
from matplotlib.figure import Figure

from maxexp.config import to_plain
from maxexp.execution import masked
from maxexp.sweep.plots import history_plot, hypervolume_plot, importance_plot, parallel_plot, pareto_plot
from maxexp.sweep.results import Result, hypervolume_history, pareto_set, results
from maxexp.sweep.study import FINAL_SUFFIX, OUTCOME, PARENT_RUN, SweepStudy, counts
from maxexp.sweep.trial import STUDY_TAG
from maxexp.tracking.owner import close_abandoned_runs
from maxexp.tracking.provenance import provenance
from maxexp.tracking.record import RunRecord
from maxexp.tracking.text import without_password

OUTCOMES = ("complete", "infeasible", "pruned", "failed")


class ParentRecord:
    """The parent run, open while its ``with`` block is."""

    def __init__(self, study: SweepStudy, record: RunRecord) -> None:
        self._study = study
        self._record = record

    @classmethod
    def open(cls, study: SweepStudy) -> ParentRecord:
        """The sweep's run, made if it has none yet, gone on with otherwise.

        Raises:
            TrackingError: the store cannot be used, or the run was deleted.
        """
        plan = study.plan
        tracking = plan.compose_first().tracking
        tracking.system_metrics = False
        if run_id := study.attribute(PARENT_RUN):
            return cls(study, RunRecord.resume(tracking, run_id, finished=True))
        settings = to_plain(plan.settings)
        tags = {**provenance(), STUDY_TAG: study.name, "sweep.storage": without_password(study.url)}
        decisive = {key: settings[key] for key in ("objectives", "limits", "sampler", "pruning", "final")}
        record = RunRecord.start(tracking, f"sweep {study.name}", tags, masked(decisive))
        study.study.set_user_attr(PARENT_RUN, record.run_id)
        content = {
            "command": [without_password(word) for word in plan.command],
            "settings": {**settings, "storage": without_password(study.url)},
            "space": {p.key: str(p.distribution) for p in plan.space.parameters},
        }
        record.log_text(yaml.safe_dump(content, sort_keys=False), "sweep/study.yaml")
        return cls(study, record)

    @property
    def run_id(self) -> str:
        return self._record.run_id

    def __enter__(self) -> Self:
        self._record.__enter__()
        close_abandoned_runs(self._record.client, self._record.experiment_id)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close_abandoned_runs(self._record.client, self._record.experiment_id)
        self._record.__exit__(kind, error, trace)

    def progress(self, study: SweepStudy) -> None:
        """How many trials there are of each outcome, and the best values so far."""
        found = results(study)
        front = pareto_set(found)
        phase = "final/" if study.name.endswith(FINAL_SUFFIX) else ""
        metrics: dict[str, float] = {
            f"sweep/{phase}{outcome}": sum(r.outcome == outcome for r in found) for outcome in OUTCOMES
        }
        metrics[f"sweep/{phase}pareto_size"] = len(front)
        for index, name in enumerate(study.plan.settings.objectives):
            if front:
                best = min(front, key=lambda r: (r.losses or ())[index])
                metrics[f"sweep/{phase}best/{name}"] = best.values[name]
        self._record.log_metrics(metrics, sum(map(counts, study.trials())))

    def finish(self, studies: Sequence[SweepStudy]) -> None:
        """Tables and pictures of all phases."""
        texts = []
        for study in studies:
            folder = "sweep/final" if study.name.endswith(FINAL_SUFFIX) else "sweep"
            texts.append(self._report(study, folder))
        self._record.describe("\n\n".join(texts))

    def _report(self, study: SweepStudy, folder: str) -> str:
        files = report(study)
        for name, content in files.items():
            if isinstance(content, str):
                self._record.log_text(content, f"{folder}/{name}")
            else:
                self._record.log_figure(content, f"{folder}/{name}")
        for count, volume in hypervolume_history(results(study)):
            self._record.log_metrics({f"{folder}/hypervolume": volume}, count)
        return str(files["pareto.md"])


def report(study: SweepStudy) -> dict[str, str | Figure]:
    """Tables and pictures of a study, by file name."""
    found = results(study)
    front = pareto_set(found)
    objectives = study.plan.settings.objectives
    files: dict[str, str | Figure] = {
        "trials.csv": table_csv(found),
        "pareto.csv": table_csv(front),
        "pareto.json": json.dumps([row(result) for result in front], indent=1),
        "pareto.md": table_markdown(front, list(objectives), f"Pareto set of {study.name}"),
        "pareto.png": pareto_plot(found, list(objectives)),
        "history.png": history_plot(found, objectives),
        "parallel_coordinates.png": parallel_plot(found, list(objectives)),
        "hypervolume.png": hypervolume_plot(found),
    }
    if shares := importances(study):
        files["importances.json"] = json.dumps(shares, indent=1)
        files["importances.png"] = importance_plot(shares)
    return files


def row(result: Result) -> dict[str, Any]:
    """A trial as a flat row."""
    return {
        "trial": result.number,
        "outcome": result.outcome,
        **result.values,
        **result.tested,
        **result.params,
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


def table_markdown(found: Sequence[Result], objectives: Sequence[str], title: str) -> str:
    """Trials as a Markdown table: objectives, then parameters."""
    names = list(dict.fromkeys(name for result in found for name in result.params))
    tested = list(dict.fromkeys(name for result in found for name in result.tested))
    columns = ["trial", *dict.fromkeys([*objectives, *tested, *names])]
    lines = [f"**{title}**", "", f"| {' | '.join(columns)} |", "|" + "--|" * len(columns)]
    for result in found:
        cells = row(result)
        lines.append("| " + " | ".join(_cell(cells.get(column, "")) for column in columns) + " |")
    return "\n".join(lines)


def importances(study: SweepStudy) -> dict[str, dict[str, float]]:
    """Importance of each parameter by objective (PED-ANOVA); none where there are too few trials to tell."""
    import optuna

    measured = optuna.create_study(directions=study.study.directions)
    measured.add_trials([t for t in study.trials() if t.user_attrs.get(OUTCOME) == "complete"])
    shares = {}
    for index, name in enumerate(study.plan.settings.objectives):
        try:
            with warnings.catch_warnings(action="ignore"):
                found = optuna.importance.get_param_importances(measured, target=_value(index))
        except (ValueError, RuntimeError):
            continue
        if found:
            shares[name] = {key: float(value) for key, value in found.items()}
    return shares


def _value(index: int) -> Any:
    return lambda trial: trial.values[index]


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
