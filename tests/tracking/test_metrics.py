"""The registry of metrics: each is declared once, and everything that a run records is in it."""

import re

import pytest

from maxexp.base.metrics import HIGHER, LOWER, NEITHER, Need, Shown
from maxexp.chip.config import DeviceConfig, find_part
from maxexp.chip.cost import network_cost
from maxexp.schema.config import Stage
from maxexp.tracking.metrics import CURVE_PANELS, CURVES, MAIN, METRICS, RESULTS, of_stage, unknown_metric
from tests.docs.pages import PAGES
from tests.literals import literals

ONE_LAYER = {"conv1": {"op": "conv2d", "out_channels": 4}}


def test_every_metric_is_of_a_stage():
    assert {metric.stage for metric in METRICS.values()} == {stage.name for stage in Stage}
    assert sum(len(of_stage(stage.name)) for stage in Stage) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_every_metric_can_be_read(metric):
    assert re.fullmatch(r"[a-z]+/[a-z0-9_]+", metric.key)
    assert metric.name and metric.label and metric.better in (HIGHER, LOWER, NEITHER)
    assert metric.text(1.0)


def test_what_is_known_before_training_is_what_the_chip_model_computes(make_network):
    costs = network_cost(make_network(ONE_LAYER), {}, DeviceConfig("max78000", 50.0)).metrics()
    assert set(costs) == {metric.key for metric in METRICS.values() if metric.known_before_training}


def test_a_part_whose_cycles_are_unknown_lacks_what_needs_them(make_network):
    assert not find_part("max78002").cycles_known
    known = {metric.key for metric in METRICS.values() if metric.known_before_training}
    timing = {metric.key for metric in METRICS.values() if Need.cycle_model in metric.needs}
    costs = network_cost(make_network(ONE_LAYER), {}, DeviceConfig("max78002", 200.0)).metrics()
    assert set(costs) == known - timing


def test_main_metrics_are_results_and_come_first():
    assert RESULTS[: len(MAIN)] == MAIN
    assert MAIN[0].key == "test/accuracy_integer"
    assert not {metric.key for metric in RESULTS} & {curve.key for curve in CURVES}
    assert all(metric.shown is not Shown.detail for metric in RESULTS)


def test_curves_of_a_quantity_share_a_panel():
    keys = {quantity: [curve.key for curve in curves] for quantity, curves in CURVE_PANELS.items()}
    assert keys["loss"] == ["train/loss", "val/loss"]
    assert keys["accuracy"] == ["train/accuracy", "val/accuracy"]


def test_an_unknown_metric_is_answered_by_those_of_its_group():
    assert unknown_metric("val/acuracy").startswith("no such metric; there are val/")
    assert "val/accuracy," in unknown_metric("val/acuracy") and "test/" not in unknown_metric("val/acuracy")
    assert "test/accuracy_integer" in unknown_metric("accuracy")


DECLARING = ("chip/metrics.py", "board/metrics.py", "training/metrics.py")


def test_no_other_file_spells_out_the_key_of_a_metric():
    spelled = [
        f"{path}: {text}" for path, text in literals() if str(path) not in DECLARING and text.split(" ")[0] in METRICS
    ]
    assert not spelled


def test_the_documentation_names_metrics_that_there_are():
    text = "".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"`((?:train|val|test|hw|board)/[a-z0-9_]+)`", text))
    assert len(named) > 5 and named <= set(METRICS)
