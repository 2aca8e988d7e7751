"""matplotlib draws a text as it is, and reads no formula in it."""

import warnings

import pytest
from hypothesis import example, given, settings
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from maxexp.base.languages.picture_text import picture_text
from maxexp.base.languages.printable import printable
from tests.base.languages.texts import texts


@given(texts)
@example("$x$")
@example("\\$x$ and $")
@example("$\\frac{$")
def test_no_text_is_a_formula(text):
    drawn, is_formula = Text(text=picture_text(text))._preprocess_math(picture_text(text))
    assert (drawn, bool(is_formula)) == (printable(text), False)


@settings(max_examples=15, deadline=None)
@given(texts)
@example("$\\undefined$")
@example("\udcff $5 \n")
def test_any_text_can_be_drawn(text):
    figure = Figure(figsize=(1, 1))
    axes = figure.subplots()
    axes.set(title=picture_text(text), xticks=[0], xticklabels=[picture_text(text)])
    with warnings.catch_warnings(action="ignore"):  # its font lacks some glyphs
        FigureCanvasAgg(figure).draw()


def test_without_it_a_price_is_a_formula():
    with pytest.raises(ValueError, match="arse"):
        figure = Figure()
        figure.suptitle("$\\undefined$")
        FigureCanvasAgg(figure).draw()
