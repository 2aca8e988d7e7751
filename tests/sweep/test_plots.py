"""Pictures of a sweep: what is drawn where."""

from dataclasses import replace

import numpy as np

from maxexp.sweep.outcome.plots import hypervolume_plot, parallel_plot, pareto_plot
from tests.sweep.test_baseline import trial

NAMES = ["val/best_accuracy", "hw/latency_us"]


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
    assert len(pareto_plot(found, NAMES).axes) == 1


def test_the_hypervolume_is_drawn_by_the_number_of_complete_trials():
    (axes,) = hypervolume_plot([(1, 0.25), (2, 0.5)]).axes
    (line,) = axes.lines
    assert line.get_xydata().tolist() == [[1, 0.25], [2, 0.5]]


def test_no_number_of_a_point_is_written_over_another():
    points = [(0, 0.9, 1500.0), (1, 0.8999, 1499.0), (2, 0.7, 1000.0)]
    (axes,) = pareto_plot([trial(*point) for point in points], NAMES).axes
    assert [text.get_text() for text in axes.texts] == ["0", "2"]


def test_a_single_objective_is_drawn_by_trial():
    found = [replace(trial(n, 0.8 + n / 100, 1500), losses=(-0.8 - n / 100,)) for n in range(3)]
    found[0] = replace(found[0], spread={NAMES[0]: 0.01})
    (axes,) = pareto_plot(found, NAMES[:1]).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("trial", "accuracy, validation [%]")
