"""A text on one line."""

import pytest
from hypothesis import given

from maxexp.base.languages.printable import printable
from tests.base.languages.texts import texts


@given(texts)
def test_it_fits_on_one_line_of_any_file(text):
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1 and printable(shown) == shown


@given(texts.filter(str.isprintable))
def test_what_can_be_seen_stays(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("caf\udce9", "caf\\xe9"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202eevil", "\\u202eevil"),
        ("語é", "語é"),
    ],
)
def test_what_cannot_is_written_out(text, shown):
    assert printable(text) == shown
