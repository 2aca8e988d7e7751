"""The view that the MLflow UI offers of an experiment."""

import json

from maxexp.tracking import RunRecord, TrackingConfig
from maxexp.tracking.color import COLOR_TAG, COLORS
from maxexp.tracking.store import open_store
from maxexp.tracking.view import VIEW_TAG


def test_every_experiment_has_the_view_once(uri, monkeypatch):
    store = open_store(TrackingConfig(uri=uri))
    tags = store.client.get_experiment(store.experiment_id("viewed")).tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    state = json.loads(json.loads(tags[VIEW_TAG])["state"])
    assert "metrics.`test/accuracy_integer`" in state["selectedColumns"]
    assert "metrics.`val/best_accuracy`" in state["selectedColumns"], "trials of a sweep have no test accuracy"
    assert any(chart.get("yaxis", {}).get("key") == "val/best_accuracy" for chart in state["compareRunCharts"])
    shown = {chart["metricSectionId"] for chart in state["compareRunCharts"]}
    assert shown == {section["uuid"] for section in state["compareRunSections"]}

    def fail(*_):
        raise AssertionError("written again")

    monkeypatch.setattr(store.client, "set_experiment_tag", fail)
    store.experiment_id("viewed")


def test_runs_that_follow_one_another_differ_in_colour(uri):
    """The UI's own colours come from run ids: of five runs, two were often alike."""
    config = TrackingConfig(uri=uri, experiment="colourful", system_metrics=False)
    colors = []
    for _ in range(len(COLORS) + 1):
        with RunRecord.start(config, "run") as record:
            colors.append(record.tags()[COLOR_TAG])
    assert len(set(colors[:-1])) == len(COLORS)
    assert colors[-1] == colors[0]
