"""The Pareto front against its definition."""

from hypothesis import given
from hypothesis import strategies as st

from maxexp.compare.pareto import pareto_front

POINTS = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=30)


@given(POINTS)
def test_what_is_off_the_front_is_beaten_by_something_on_it(points):
    front = pareto_front(points)
    best = [point for point, on_front in zip(points, front, strict=True) if on_front]
    for point, on_front in zip(points, front, strict=True):
        beaten = any(all(a <= b for a, b in zip(other, point, strict=True)) and other != point for other in best)
        assert on_front is not beaten


def test_equal_runs_are_on_the_front_together():
    assert pareto_front([(1.0, 2.0), (1.0, 2.0), (1.0, 3.0)]) == [True, True, False]
