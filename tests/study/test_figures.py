"""Means, spreads, sources and findings of a study's table."""

import math
import statistics
from dataclasses import replace

import pytest

from maxexp.study.figures import make_rows, noise, verdict
from maxexp.study.markdown import results_markdown
from tests.study.small import SMALL, result, small


@pytest.fixture
def study(tmp_path):
    return small(tmp_path)


def test_several_seeds_have_a_mean_and_a_spread(study):
    accuracies = {1: 0.90, 2: 0.92}
    cell = make_rows(study, [result("float", s, a) for s, a in accuracies.items()], {})["float"].cells["accuracy"]
    assert cell.value == pytest.approx(statistics.fmean(accuracies.values()))
    assert cell.spread == pytest.approx(statistics.stdev(accuracies.values()))
    assert make_rows(study, [result("float", 1, 0.9)], {})["float"].cells["accuracy"].spread is None


def test_differences_are_taken_seed_by_seed(study):
    """Seeds differ by 10 points, but in each the gain is about one: that is the spread which counts."""
    found = [result("float", 1, 0.80), result("float", 2, 0.90), result("ptq", 1, 0.81), result("ptq", 2, 0.912)]
    gain = make_rows(study, found, {})["ptq"].cells["gain"]
    assert gain.value == pytest.approx(0.011)
    assert gain.spread == pytest.approx(statistics.stdev([0.01, 0.012]))


def test_a_seed_that_the_other_row_lacks_is_compared_with_its_mean(study):
    found = [result("float", 1, 0.80), result("float", 2, 0.90), result("ptq", 3, 0.95)]
    assert make_rows(study, found, {})["ptq"].cells["gain"].value == pytest.approx(0.10)


@pytest.mark.parametrize(
    "tags, time, factor",
    [
        ({"hw.source": "estimated"}, "estimated", "estimated"),
        ({"hw.source": "measured"}, "measured", "measured"),
    ],
)
def test_a_figure_made_of_others_has_the_source_of_the_weakest(study, tags, time, factor):
    cells = make_rows(study, [result("float", 1, 0.9, **tags)], {})["float"].cells
    assert (cells["time"].source, cells["factor"].source) == (time, factor)
    assert cells["accuracy"].source == "computed"


def test_one_estimated_seed_makes_the_mean_estimated(study):
    found = [result("float", 1, 0.9, **{"hw.source": "measured"}), result("float", 2, 0.9)]
    assert make_rows(study, found, {})["float"].cells["time"].source == "estimated"


def test_what_is_computed_from_published_figures_was_not_published(study):
    cells = make_rows(study, [], {})["deck"].cells
    assert cells["time"].source == "published" and cells["factor"].source == "computed"


def test_a_missing_metric_leaves_its_cells_and_findings_open(study):
    without = result("ptq", 1, 0.9)
    del without.metrics["hw/latency_us"]
    rows = make_rows(study, [without], {})
    assert rows["ptq"].cells["time"].value is None and rows["ptq"].cells["factor"].value is None
    assert verdict(study.findings[0], rows) == "open, ptq.time is missing"


@pytest.mark.parametrize(
    "floats, said",
    [
        ((0.80, 0.80), "confirmed"),
        ((0.95, 0.95), "refuted"),
        ((0.80, 0.91), "confirmed on average, not by every seed"),
    ],
)
def test_findings_are_decided_by_means_and_seeds(tmp_path, floats, said):
    study = small(tmp_path, findings=[{"text": "x", "check": "ptq.accuracy > float.accuracy"}])
    found = [result("float", seed + 1, value) for seed, value in enumerate(floats)]
    found += [result("ptq", seed, 0.90) for seed in (1, 2)]
    assert verdict(study.findings[0], make_rows(study, found, {})) == said


def test_a_finding_can_ask_for_more_than_chance(tmp_path):
    study = small(tmp_path, findings=[{"text": "x", "check": "ptq.accuracy > float.accuracy + chance"}])
    found = [result("float", 1, 0.80), result("float", 2, 0.82), result("ptq", 1, 0.84)]
    rows = make_rows(study, found, {})
    assert noise(rows, "accuracy").resolution == pytest.approx(2 * statistics.stdev([0.80, 0.82]))
    within = "open, the difference may be chance"
    for chance, said in ((0.0282, "confirmed on average, not by every seed"), (0.04, within)):
        assert verdict(study.findings[0], rows, chance) == said
    opposite = replace(study.findings[0], check="float.accuracy > ptq.accuracy + chance")
    for chance, said in ((0.0282, "refuted"), (0.04, within)):
        assert verdict(opposite, rows, chance) == said
    assert verdict(study.findings[0], rows) == "open, chance is missing"
    assert "may be chance: +2.83 points" in results_markdown("small", study, rows, [])


def test_a_finding_without_all_of_its_runs_is_not_final(tmp_path):
    study = small(tmp_path, findings=[{"text": "x", "check": "ptq.accuracy > float.accuracy"}])
    rows = make_rows(study, [result("float", 1, 0.8), result("ptq", 1, 0.9)], {("float", 2): "running"})
    assert verdict(study.findings[0], rows) == "confirmed so far, runs are missing"


def test_a_finding_that_divides_by_zero_is_open(tmp_path):
    study = small(tmp_path, findings=[{"text": "x", "check": "ptq.accuracy / float.accuracy > 1"}])
    rows = make_rows(study, [result("float", 1, 0.0), result("ptq", 1, 0.9)], {})
    assert verdict(study.findings[0], rows) == "open, its check divides by 0"


def test_what_needs_a_text_as_a_number_is_open(tmp_path):
    """Others publish figures in units of their own."""
    deck = {"label": "the deck", "source": "slide 5", "values": {"time": "249 MOps/s"}}
    study = small(tmp_path, references={"deck": deck})
    rows = make_rows(study, [result("ptq", 1, 0.9)], {})
    assert rows["ptq"].cells["factor"].value is None
    assert verdict(study.findings[0], rows) == "open, deck.time is no number: 249 MOps/s"


@pytest.mark.parametrize("artifact, epochs", [("checkpoints/float_best.pth.tar", 85), (None, 100)])
def test_weights_of_another_run_have_its_epochs(tmp_path, artifact, epochs):
    """The table said of a quantized network that it took none; a floating-point phase ends where the next begins."""
    entries = {name: dict(entry) for name, entry in SMALL["entries"].items()}
    entries["ptq"]["artifact"] = artifact
    columns = SMALL["columns"] | {"epochs": {"label": "epochs", "metric": "train/epochs"}}
    study = small(tmp_path, entries=entries, columns=columns)
    trained = result("float", 1, 0.9)
    trained = replace(trained, metrics={**trained.metrics, "train/epochs": 100, "train/qat_epoch": 85.0})
    rows = make_rows(study, [trained, result("ptq", 1, 0.9)], {})
    assert rows["ptq"].cells["epochs"].value == epochs
    assert rows["float"].cells["epochs"].value == 100


def test_noise_is_pooled_over_rows(study):
    """Variances of 1 and 9 points squared, one degree of freedom each."""
    found = [result("float", 1, 0.90), result("float", 2, 0.90 + 0.01 * math.sqrt(2))]
    found += [result("ptq", 1, 0.80), result("ptq", 2, 0.80 + 0.03 * math.sqrt(2))]
    pooled = noise(make_rows(study, found, {}), "accuracy")
    assert pooled.deviation == pytest.approx(math.sqrt(5) / 100)
    assert (pooled.rows, pooled.seeds) == (2, 2)
    assert pooled.resolution == pytest.approx(2 * pooled.deviation)
    assert noise(make_rows(study, found[:1], {}), "accuracy") is None
