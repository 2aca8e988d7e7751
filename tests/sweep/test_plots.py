"""Pictures of a sweep: what is drawn where."""

from dataclasses import replace

import numpy as np

from maxexp.sweep.outcome.plots import ENOUGH_TRIALS, hypervolume_plot, importance_plot, parallel_plot, pareto_plot
from maxexp.sweep.search.config import Direction
from tests.sweep.test_baseline import trial

NAMES = ["val/best_accuracy", "hw/latency_us"]
OBJECTIVES = {NAMES[0]: Direction.maximize, NAMES[1]: Direction.minimize}


def test_trials_of_another_network_have_a_row_of_their_own():
    """A choice of null is a value like others: its lines are whole."""
    found = [
        replace(trial(n, 0.8 + n / 100, 1500 + n), params={"model": "a", "width": n, "pool": "max" if n else None})
        for n in range(3)
    ]
    found.append(replace(trial(3, 0.7, 1000), params={"model": "b", "depth": 4}))
    figure = parallel_plot(found, NAMES)
    first, second = figure.axes
    names = ["accuracy, validation [%]", "latency [ms]"]
    assert [label.get_text() for label in first.get_xticklabels()] == ["width", "pool", *names]
    assert [label.get_text() for label in second.get_xticklabels()] == names
    assert (first.get_title(), second.get_title()) == ("model=a", "model=b, depth=4")
    lines = [line.get_ydata() for line in first.lines if len(line.get_xdata()) == 4]
    assert len(lines) == 3 and np.isfinite(lines).all()
    assert {"null", "max"} <= {text.get_text() for text in first.texts}


def test_the_best_trial_is_the_darkest_over_all_rows():
    found = [replace(trial(n, 0.6 + n / 10, 1500), params={str(n % 2): n}) for n in range(4)]
    colors = {}
    for axes in parallel_plot(found, NAMES).axes:
        for line in axes.lines:
            if len(line.get_xdata()) > 2:
                colors[sum(line.get_color()[:3])] = axes
    assert len(colors) == 4
    assert [text.get_text() for text in colors[min(colors)].texts].count("90") == 1


def test_a_sweep_without_a_complete_trial_has_its_pictures():
    found = [replace(trial(0, 0.8, 1500), outcome="infeasible", losses=None)]
    assert parallel_plot(found, NAMES).axes == []
    assert len(pareto_plot(found, OBJECTIVES).axes) == 1


def test_the_hypervolume_is_drawn_by_the_number_of_complete_trials():
    (axes,) = hypervolume_plot([(1, 0.25), (2, 0.5)]).axes
    (line,) = axes.lines
    assert line.get_xydata().tolist() == [[1, 0.25], [2, 0.5]]


def test_no_number_of_a_point_is_written_over_another():
    points = [(0, 0.9, 1500.0), (1, 0.8999, 1499.0), (2, 0.7, 1000.0)]
    (axes,) = pareto_plot([trial(*point) for point in points], OBJECTIVES).axes
    assert [text.get_text() for text in axes.texts] == ["0", "2"]


def test_a_single_objective_is_drawn_by_trial():
    found = [replace(trial(n, 0.8 + n / 100, 1500), losses=(-0.8 - n / 100,)) for n in range(3)]
    found[0] = replace(found[0], spread={NAMES[0]: 0.01})
    (axes,) = pareto_plot(found, {NAMES[0]: Direction.maximize}).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("trial", "accuracy, validation [%]")


def test_the_front_is_a_staircase_that_no_trial_is_beyond():
    """Between two points of the front nothing is known to be reached but what the cheaper of them reaches."""
    front = [(0, 0.7, 1000.0), (1, 0.8, 1500.0), (2, 0.9, 3000.0)]
    (axes,) = pareto_plot([trial(*point) for point in front], OBJECTIVES).axes
    (line,) = axes.lines
    assert line.get_drawstyle() == "steps-post"
    assert line.get_xydata().tolist() == [[1.0, 70.0], [1.5, 80.0], [3.0, 90.0]]


def test_importances_of_few_trials_warn():
    shares = {NAMES[0]: {"": {"seed": 1.0}}}
    assert "from 8 trials only" in importance_plot(shares, 8).get_suptitle()
    assert importance_plot(shares, ENOUGH_TRIALS).get_suptitle() == ""


def test_the_pareto_set_is_marked_among_the_lines():
    found = [replace(trial(n, 0.8, 1500 + n), params={"width": n}) for n in range(3)]
    (axes,) = parallel_plot(found, NAMES).axes
    widths = [line.get_linewidth() for line in axes.lines if len(line.get_xdata()) == 3]
    assert sorted(widths) == [0.8, 0.8, 2.5]
