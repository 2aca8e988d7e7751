"""A view of an experiment for the MLflow UI: the columns and charts that networks for the chip are compared by.

The UI keeps named views in tags of the experiment and offers them in its menu of views; an address that names
one opens the experiment with it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from maxexp.tasks.metrics import SELECTING
from maxexp.tracking.metrics import CURVES, MAIN

if TYPE_CHECKING:
    from mlflow.entities import Experiment

VIEW = "maxexp"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"

_COSTS = tuple(metric for metric in MAIN if metric.group == "hw")
_COLUMNS = {
    "tags": ("model", "dataset", "quantization", "weight_bits", "hw.source", "sweep.state"),
    "metrics": tuple(metric.key for metric in MAIN),
    "params": ("seed",),
}


def _sections() -> dict[str, list[tuple[str, ...]]]:
    """Charts, as kind and metrics, by the heading that they are under: one for the scores of each task."""
    sections: dict[str, list[tuple[str, ...]]] = {}
    for task, score in SELECTING.items():
        over = [("SCATTER", cost.key, metric.key) for metric in (score.test_integer, score.chosen) for cost in _COSTS]
        bars = [("BAR", metric.key) for metric in (score.test_integer, score.test_float, score.chosen)]
        sections[f"{task[0].upper()}{task[1:]}"] = [*over, *bars]
    sections["Latency and memory"] = [("BAR", cost.key) for cost in _COSTS]
    sections["Training"] = [("LINE", curve.key) for curve in CURVES]
    return sections


_CHARTS = _sections()


def view_tags(created_ms: int) -> dict[str, str]:
    """Returns the tags of an experiment by which the UI takes it for one of trainings, and knows the view.

    Args:
        created_ms: when the experiment was made, since 1970.
    """
    # Without it the UI guesses, and opens a new experiment as one of language models.
    return {"mlflow.experimentKind": "custom_model_development", VIEW_TAG: _view(created_ms)}


def view_address(server: str, experiment: Experiment) -> str:
    """Returns where an MLflow server at ``server`` (``http://HOST:PORT``) shows an experiment, with our view if it
    has it."""
    view = f"?viewStateShareKey={VIEW}" if VIEW_TAG in experiment.tags else ""
    return f"{server}/#/experiments/{experiment.experiment_id}/runs{view}"


def _view(created_ms: int) -> str:
    sections = [
        {"uuid": f"section{index}", "name": name, "display": True, "isReordered": True}
        for index, name in enumerate(_CHARTS)
    ]
    charts = [
        _chart(f"chart{index}-{number}", f"section{index}", *chart)
        for index, charts in enumerate(_CHARTS.values())
        for number, chart in enumerate(charts)
    ]
    state = {
        # Failed runs would be ticked into the charts; the UI shows this filter, and whoever wants them deletes it.
        "searchFilter": "attributes.status != 'FAILED'",
        # The newest first: by an accuracy, runs that lack it, PTQ among them, would fall out of the charts' 20.
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "selectedColumns": [f"{kind}.`{key}`" for kind, keys in _COLUMNS.items() for key in keys],
        "runsHiddenMode": "FIRST_20_RUNS",
        "isAccordionReordered": True,
        "compareRunSections": sections,
        "compareRunCharts": charts,
    }
    name = "Scores, latency and memory on the chip"
    return json.dumps(
        {"name": name, "createdAt": created_ms, "state": json.dumps(state, separators=(",", ":"))},
        separators=(",", ":"),
    )


def _chart(uuid: str, section: str, kind: str, *keys: str) -> dict[str, Any]:
    chart: dict[str, Any] = {"uuid": uuid, "type": kind, "metricSectionId": section, "runsCountToCompare": 20}
    if kind == "SCATTER":
        xaxis, yaxis = ({"key": key, "type": "METRIC"} for key in keys)
        return chart | {"xaxis": xaxis, "yaxis": yaxis}
    return chart | {"metricKey": keys[0], "useGlobalXaxisKey": True, "useGlobalLineSmoothing": True}
