"""The point that others are compared with: tried first, trained again in the second phase, marked in the tables."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxexp.base.errors import ConfigError
from maxexp.schema.config import to_plain
from maxexp.sweep.outcome.report import best
from maxexp.sweep.outcome.tables import figures, shared
from maxexp.sweep.search.limits import judge
from maxexp.sweep.workers.results import Result, finalists, pareto_set, results
from maxexp.sweep.workers.study import SweepStudy, open_phases, point_of
from maxexp.sweep.workers.tickets import Tickets
from tests.conftest import composed
from tests.sweep.conftest import COST_ONLY, planned

COSTS = "hydra.sweeper.objectives={hw/macs_per_cycle:maximize,hw/latency_us:minimize}"
SPACE = ("model.layers.conv1.out_channels=4,16,24", "model.layers.conv2.pool=null,max", "+model.layers.fc.bias=true")
CONV2_BIAS = "model.layers.conv2.bias=true"
BASELINE = "hydra.sweeper.baseline=true"


def trial(number: int, accuracy: float, latency: float, baseline: bool = False, **tested: float) -> Result:
    values = {"val/best_accuracy": accuracy, "hw/latency_us": latency}
    further = dict.fromkeys(("reason", "run_id", "seconds", "started", "ended"))
    return Result(
        number,
        "complete",
        {"width": number},
        values,
        (-accuracy, latency),
        {},
        **further,
        tested={f"test/{name}": value for name, value in tested.items()},
        curve={},
        baseline=baseline,
    )


def test_it_is_the_configuration_without_the_search_space():
    plan = planned(COSTS, BASELINE, *SPACE, *COST_ONLY)
    unsearched = composed(
        "model.layers.fc.bias=true", "synthesis=estimate", *COST_ONLY
    )  # as trials, which write no firmware
    assert to_plain(plan.compose(*plan.space.overrides(plan.baseline))) == to_plain(unsearched)
    assert type(plan).from_plain(plan.to_plain()).baseline == plan.baseline


def test_so_it_is_with_choices_of_groups_and_conditions():
    plan = planned("+sweep=cifar10_pareto")
    config = plan.compose(*plan.space.overrides(plan.baseline))
    assert to_plain(config.model) == to_plain(composed("model=cmsisnnet", "dataset=cifar10").model)
    assert judge(config, []).costs["hw/cycles"] == 94_889


@pytest.mark.parametrize(
    ("further", "part"),
    [
        (("model.layers.conv1.out_channels=4,8",), "model.layers.conv1.out_channels is 16 in the configuration"),
        (("seed=1,2", "hydra.sweeper.limits=['hw/latency_us <= 1']"), "the limit hw/latency_us <= 1"),
    ],
)
def test_one_that_cannot_be_tried_is_refused(further, part):
    with pytest.raises(ConfigError, match="hydra.sweeper.baseline") as caught:
        planned(COSTS, BASELINE, *further, *COST_ONLY)
    assert part in str(caught.value)


def test_the_sampler_is_told_who_is_behind_it(sweep):
    limit = "hydra.sweeper.limits=['hw/latency_us <= 80']"
    reach = "hydra.sweeper.reach_baseline=true"
    _, found = sweep("hydra.sweeper.trials=6", BASELINE, reach, limit, COSTS, *SPACE, *COST_ONLY)
    least = next(r.values["hw/macs_per_cycle"] for r in found if r.baseline)
    behind = {r.number: 1 - r.values["hw/macs_per_cycle"] / least for r in found if r.outcome == "complete"}
    assert {r.outcome for r in found} == {"complete", "infeasible"} and min(behind.values()) < 0 < max(
        behind.values()
    )
    for each in found:
        assert each.constraints["baseline"] == pytest.approx(behind.get(each.number, 1.0), abs=1e-9)


def test_it_cannot_be_reached_where_there_is_none():
    with pytest.raises(ConfigError, match="set hydra.sweeper.baseline=true"):
        planned(COSTS, "hydra.sweeper.reach_baseline=true", *SPACE, *COST_ONLY)


def test_it_is_the_first_trial_of_both_phases(sweep):
    final = "hydra.sweeper.final={overrides:['model.layers.conv2.bias=true'],most:1}"
    study, found = sweep("hydra.sweeper.trials=4", BASELINE, final, COSTS, *SPACE, *COST_ONLY)
    finals = results(SweepStudy.open(study.url, "study.final"))
    for each in (found, finals):
        assert [r.baseline for r in each] == [True] + [False] * (len(each) - 1)
        assert each[0].params == study.plan.baseline and each[0].outcome == "complete"
    assert len(found) == 4 and len(finals) in (1, 2)


def test_it_is_the_first_of_a_grid_once(sweep):
    _, found = sweep("+sampler=grid", BASELINE, COSTS, *SPACE, *COST_ONLY)
    assert len({tuple(r.params.values()) for r in found}) == len(found) == 6
    assert [r.baseline for r in found] == [True] + [False] * 5


@pytest.mark.slow
def test_a_second_phase_goes_on_when_the_pareto_set_has_changed(sweep):
    arguments = ("+sampler=random", "hydra.sweeper.final={overrides:['model.layers.conv2.bias=true']}", COSTS)
    sweep("hydra.sweeper.trials=1", *arguments, *SPACE, *COST_ONLY)
    study, found = sweep("hydra.sweeper.trials=6", *arguments, *SPACE, *COST_ONLY)
    finals = results(SweepStudy.open(study.url, "study.final"))
    finished = [r.params for r in finals if r.outcome == "complete"]
    assert all(r.params in finished for r in pareto_set(found))
    assert len({tuple(p.values()) for p in finished}) == len(finished)


@pytest.mark.slow
def test_another_second_phase_begins_anew_and_the_first_phase_stays(sweep, capsys):
    arguments = ("hydra.sweeper.trials=2", COSTS, *SPACE, *COST_ONLY)
    bias, width = (f"hydra.sweeper.final={{overrides:['{o}'],most:1}}" for o in (CONV2_BIAS, "model.width=0.5"))
    sweep(*arguments, bias)
    for final, name in ((width, "study.final2"), (bias, "study.final")):
        study, found = sweep(*arguments, final)
        assert len(found) == 2
        assert f"sweep {name}: " in capsys.readouterr().out
    assert [s.name for s in open_phases(study.url, "study")] == ["study", "study.final2"]
    assert [s.name for s in open_phases(study.url, "study.final")] == ["study", "study.final"]
    overrides = [SweepStudy.open(study.url, name).plan.overrides[-1] for name in ("study.final", "study.final2")]
    assert overrides == [CONV2_BIAS, "model.width=0.5"]


def test_a_ticket_of_an_outdated_pareto_set_is_withdrawn_unless_it_was_begun(place):
    plan = planned("+sampler=random", COSTS, *SPACE, *COST_ONLY)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    old, new = list(plan.space.points())[:3], list(plan.space.points())[2:4]
    Tickets(study, old).update()
    begun = study.claim()
    study.put_back(begun, lost=False)
    for points in (new, old, new):
        Tickets(study, points).update()
        waiting = [point_of(t) for t in study.trials() if t.state.name == "WAITING"]
        assert len(waiting) == len({tuple(p.items()) for p in waiting})
        assert all(p in waiting for p in points)
        assert all(p in points or p == old[0] for p in waiting)


points = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12)


@given(points, st.integers(1, 5), st.booleans())
def test_the_second_phase_is_for_those_of_the_pareto_set_that_reach_the_baseline(points, most, with_baseline):
    found = [trial(n, a, t, baseline=with_baseline and n == 0) for n, (a, t) in enumerate(points)]
    chosen, front = finalists(found, most), pareto_set(found)
    reaching = [r for r in front if not r.baseline and r.values["val/best_accuracy"] >= points[0][0]]
    expected = reaching if with_baseline and reaching else front
    assert 1 <= len(chosen) <= most and all(r in expected for r in chosen)
    assert len(chosen) == min(most, len(expected))
    assert chosen[0] == expected[0] and (len(chosen) == 1 or chosen[-1] == expected[-1])


def test_tables_say_in_what_each_trial_is_better():
    found = [
        trial(0, 0.80, 1900, baseline=True, accuracy_integer=0.79),
        trial(1, 0.85, 1500, accuracy_integer=0.84),
        trial(2, 0.70, 1000, accuracy_integer=0.69),
        trial(3, 0.60, 1600, accuracy_integer=0.59),
    ]
    assert [r.number for r in best(found)] == [1, 2, 0]
    heading, *rows = figures(best(found), ["val/best_accuracy", "hw/latency_us"])
    names = ["accuracy, validation [%]", "latency [ms]", "accuracy, integer [%]"]
    assert heading == ["trial", *names, "beside the baseline", "parameters"]
    assert rows == [
        ["1", "85.00", "1.500", "84.00", "dominates: +5.00 points, -0.400 ms, +5.00 points", "width=1"],
        ["2", "70.00", "1.000", "69.00", "-10.00 points, -0.900 ms, -10.00 points", "width=2"],
        ["0", "80.00", "1.900", "79.00", "the baseline", "width=0"],
    ]


def test_what_all_trials_share_is_said_once():
    found = [replace(trial(n, 0.8, 1500), params={"model": "small", "width": n}) for n in range(2)]
    assert shared(found) == ["model=small"]
    assert [line[-1] for line in figures(found, ["val/best_accuracy"])] == ["parameters", "width=0", "width=1"]
    assert shared(found[:1]) == []
    assert figures(found[:1], ["val/best_accuracy"])[1][-1] == "model=small width=0"
