"""A second phase with several seeds: each network's figures are means with their spread."""

import csv
import io
import statistics
from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from maxexp.sweep.outcome.plots import pareto_plot
from maxexp.sweep.outcome.report import best, study_files
from maxexp.sweep.outcome.tables import figures
from maxexp.sweep.search.config import Direction
from maxexp.sweep.search.repeats import REPEAT
from maxexp.sweep.workers.results import averaged, pareto_set, results
from maxexp.sweep.workers.study import SweepStudy
from tests.sweep.conftest import call
from tests.sweep.test_baseline import BASELINE, trial

OBJECTIVES = "hydra.sweeper.objectives={val/best_accuracy:maximize,hw/latency_us:minimize}"
SPACE = ("model.layers.conv1.out_channels=8,16", "model.layers.conv2.pool=null,max")
NAMES = ["val/best_accuracy", "hw/latency_us"]


def seeded(number: int, network: int, seed: int, *figures: float, **further):
    return replace(trial(number, *figures, **further), params={"width": network, REPEAT: seed})


def test_chance_does_not_choose():
    """The network with the luckiest seed is not the best one."""
    lucky = [seeded(0, 1, 1, 0.95, 10.0), seeded(1, 1, 2, 0.85, 10.0)]
    steady = [seeded(2, 2, 1, 0.92, 10.0), seeded(3, 2, 2, 0.93, 10.0)]
    (winner,) = pareto_set([*lucky, *steady])
    assert winner.params == {"width": 2} and winner.trials == (2, 3)
    assert winner.values["val/best_accuracy"] == pytest.approx(0.925)
    assert winner.losses == pytest.approx((-0.925, 10.0))
    assert winner.spread["val/best_accuracy"] == pytest.approx(statistics.stdev([0.92, 0.93]))
    heading, line = figures([winner], NAMES)
    assert line[0] == "2, 3" and line[1] == "92.50 ± 0.71" and "±" not in line[2]


def test_a_line_of_the_second_phase_names_the_trial_that_it_finishes():
    earlier = [replace(trial(7, 0.8, 9.0), params={"width": 2}), replace(trial(9, 0.7, 8.0), params={"width": 3})]
    finished = averaged([seeded(2, 2, 1, 0.92, 10.0), seeded(3, 2, 2, 0.93, 10.0), seeded(0, 1, 1, 0.9, 5.0)])
    heading, *lines = figures(finished, NAMES, earlier)
    assert heading[:2] == ["trial", "trial, first phase"]
    assert [line[:2] for line in lines] == [["2, 3", "7"], ["0", ""]]


def test_a_trial_without_repeats_stays_as_it_is():
    """So does a seed that was searched."""
    found = [trial(0, 0.9, 5.0), replace(trial(1, 0.8, 4.0), params={"seed": 1})]
    assert averaged(found) == found


def test_one_seed_has_no_spread():
    (alone,) = averaged([seeded(0, 1, 7, 0.9, 5.0)])
    assert alone.params == {"width": 1} and not alone.spread and alone.trials == (0,)
    assert isinstance(pareto_plot([seeded(0, 1, 7, 0.9, 5.0)], dict.fromkeys(NAMES, Direction.minimize)), Figure)


@pytest.mark.slow
def test_the_baseline_too_is_trained_with_each_seed(sweep, place):
    arguments = (
        "+sampler=random",
        "hydra.sweeper.trials=3",
        "hydra.sweeper.final={overrides:['trainer.max_epochs=2'],most:1,seeds:[3,4]}",
        BASELINE,
        OBJECTIVES,
        *SPACE,
        "stages=[train,synthesize]",
        "trainer.max_epochs=1",
        "tracking.system_metrics=false",
    )
    study, first = sweep(*arguments)
    final = SweepStudy.open(study.url, "study.final")
    finals = results(final)
    networks = len({_network(result) for result in finals})
    assert networks in (1, 2) and len(finals) == 2 * networks
    assert [r.params[REPEAT] for r in finals] == [3, 4] * networks
    assert [r.baseline for r in finals[:2]] == [True, True] and all(REPEAT not in r.params for r in first)
    means = best(finals)
    mean = next(r for r in means if r.baseline)
    accuracies = [r.values["val/best_accuracy"] for r in finals[:2]]
    assert mean.values["val/best_accuracy"] == pytest.approx(statistics.mean(accuracies))
    assert mean.spread["val/best_accuracy"] == pytest.approx(statistics.stdev(accuracies))
    (row, *_) = csv.DictReader(io.StringIO(study_files(final)["pareto.csv"]))
    assert row["seeds"] == "2" and float(row["val/best_accuracy/sd"]) >= 0
    shown = call("show", "study", cwd=place, module="maxexp.sweep").stdout
    assert "\n0, 1: model.layers.conv1.out_channels=16 model.layers.conv2.pool=" in shown and "±" in shown
    # Given again, the command has nothing left to do; a trial of the mean can be exported with its seed.
    sweep(*arguments)
    assert len(results(final)) == len(finals)
    export = call("export", "study", "--output", "winner/experiment/best.yaml", cwd=place, module="maxexp.sweep")
    assert export.returncode == 0, export.stderr
    assert "\nseed: 3\n" in (place / "winner/experiment/best.yaml").read_text()


def _network(result) -> tuple:
    return tuple(value for name, value in result.params.items() if name != REPEAT)
