"""Arithmetic over figures: what it gives, and what it refuses."""

import pytest

from maxexp.base.errors import ConfigError
from maxexp.study.expression import Expression, FigureError

ROWS = {"qat": {"accuracy": 0.9, "time": 4.0}, "ptq": {"accuracy": 0.85, "time": None}}


@pytest.mark.parametrize(
    "text, value",
    [
        ("1 + 2 * 3", 7),
        ("qat.accuracy - ptq.accuracy > 0.04", True),
        ("qat.accuracy < ptq.accuracy or 1 < 2 < 3", True),
        ("max(qat.accuracy, ptq.accuracy) == 0.9 and -time < 0", True),
        ("99.1 / time", 49.55),
        ("abs(ptq.accuracy - qat.accuracy) <= 0.01", False),
    ],
)
def test_values(text, value):
    assert Expression(text, "key").value({"time": 2.0}, ROWS) == pytest.approx(value)


@pytest.mark.parametrize("text", ["ptq.time > 1", "sgd.accuracy", "size"])
def test_a_missing_figure_is_named(text):
    with pytest.raises(FigureError, match=f"{text.split()[0]} is missing"):
        Expression(text, "key").value({}, ROWS)


@pytest.mark.parametrize("text", ["slow.time / qat.time", "-slow.time < 0", "max(slow.time, 1)", "slow.time > 1"])
def test_text_is_no_number(text):
    with pytest.raises(FigureError, match="slow.time is no number: 249 MOps/s"):
        Expression(text, "key").value({}, {**ROWS, "slow": {"time": "249 MOps/s"}})


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "open('x')",
        "qat.a.b",
        "[1, 2]",
        "'text'",
        "x if y else z",
        "lambda: 1",
        "2 ** 9",
        "f(k=1)",
        "1 +",
        "min(qat.time)",
        "max()",
        "abs(qat.time, 1)",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ConfigError, match="^columns.x: "):
        Expression(text, "columns.x")


def test_what_it_needs_is_known_beforehand():
    expression = Expression("stm32.time / time + 1", "key")
    assert expression.names == ["time"] and expression.attributes == [("stm32", "time")]
