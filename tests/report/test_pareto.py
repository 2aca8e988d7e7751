"""The Pareto front against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxexp.report.pareto import dominates, pareto_mask

POINTS = st.integers(1, 3).flatmap(lambda n: st.lists(st.tuples(*[st.integers(0, 6)] * n), min_size=1, max_size=30))


@given(POINTS)
def test_what_is_off_the_front_is_beaten_by_something_on_it(points):
    front = pareto_mask(np.array(points))
    best = [point for point, on_front in zip(points, front, strict=True) if on_front]
    for point, on_front in zip(points, front, strict=True):
        beaten = any(all(a <= b for a, b in zip(other, point, strict=True)) and other != point for other in best)
        assert on_front == (not beaten)


def test_equal_points_are_on_the_front_together():
    assert pareto_mask(np.array([(1.0, 2.0), (1.0, 2.0), (1.0, 3.0)])).tolist() == [True, True, False]


def test_of_no_points_none_is_on_it():
    assert pareto_mask(np.empty((0, 2))).tolist() == []


@pytest.mark.parametrize(
    ("one", "other", "wins"), [((1, 2), (1, 3), True), ((1, 2), (1, 2), False), ((0, 3), (1, 2), False)]
)
def test_one_dominates_another_by_being_better_somewhere_and_worse_nowhere(one, other, wins):
    assert dominates(np.array(one), np.array(other)) == wins
