"""Names without what all have in common."""

import pytest

from maxexp.report.comparison.names import common_words, without


@pytest.mark.parametrize(
    "names, common, shown",
    [
        (["a epochs=2 seed=1", "b epochs=2 seed=2"], ["epochs=2"], ["a seed=1", "b seed=2"]),
        (["a epochs=2", "a epochs=2"], [], ["a epochs=2", "a epochs=2"]),
        (["a", "a seed=2"], [], ["a", "a seed=2"]),
        (["alone  with two"], [], ["alone  with two"]),
        (["x=1 a", "x=12 b"], [], ["x=1 a", "x=12 b"]),
    ],
)
def test_words_that_tell_no_run_from_another_are_left_out(names, common, shown):
    assert common_words(names) == common
    assert [without(name, common) for name in names] == shown
