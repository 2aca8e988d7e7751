"""Markdown tables."""

from hypothesis import given
from hypothesis import strategies as st

from maxexp.report.markdown import table


def test_numbers_are_aligned_to_the_right():
    assert table(["", "value"], [["a", "1"], ["b", ""]], numbers=[1]) == "| | value |\n|--|--:|\n| a | 1 |\n| b | |"


@given(st.lists(st.lists(st.text(max_size=5), min_size=3, max_size=3), max_size=4))
def test_no_cell_changes_the_shape(rows):
    lines = table(["a", "b", "c"], rows).split("\n")
    assert len(lines) == 2 + len(rows)
    assert all(line.replace("\\|", "").count("|") == 4 for line in lines)
