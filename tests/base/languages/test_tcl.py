"""Tcl takes a word for the text that was meant, also within a script in braces."""

import pytest
from hypothesis import example, given

from maxexp.base.languages.tcl import tcl_word
from tests.base.languages.texts import texts

known = texts.filter(lambda text: not any("\ud800" <= letter <= "\udfff" or letter > "\uffff" for letter in text))
"""Texts of characters that Python's Tcl 8 has."""


@pytest.fixture(scope="module")
def tcl():
    """Python's own Tcl; not every Python has one."""
    return pytest.importorskip("tkinter").Tcl()


@given(text=known)
@example(text="a b; exit")
@example(text="[exit] $x {")
@example(text="} a")
@example(text="\\")
@example(text='"\n\\\n{')
@example(text="")
def test_a_word_is_the_text(tcl, text):
    for script in (f"list {tcl_word(text)}", f"if {{1}} {{list {tcl_word(text)}}}"):
        assert tcl.splitlist(tcl.eval(script)) == (text,)


def test_serial_numbers_stay_as_they_are():
    assert tcl_word("04441702") == "04441702"
