"""Mutated expressions, descriptions and results of studies."""

import json
from collections.abc import Callable

import pytest

from maxexp.base.errors import ConfigError, StudyError
from maxexp.study.description import read_study
from maxexp.study.expression import Expression, FigureError
from maxexp.study.records import RESULTS, Results
from tests.fuzz import fuzz, mutated
from tests.study.small import written

EXPRESSIONS = [
    b"qat.accuracy - ptq.accuracy > 0.01 and -qat.time / time < 2 or min(qat.time, 3) == max(1, time)",
    b"abs(qat.accuracy * 100 - time) <= chance",
]
WORDS = [
    b"1e999",
    b"(" * 99,
    b" / (time - time)",
    b"0x",
    b"**9",
    b"_9",
    b"j",
    b"lambda: ",
    b"qat.",
    b"not ",
    b" * qat.text",
]
ROWS = {"qat": {"accuracy": 0.9, "time": 0, "text": [1], "nan": float("nan")}, "ptq": {"accuracy": 10**400}}


def test_expressions():
    def evaluate(data: bytes) -> None:
        expression = Expression(data.decode(errors="surrogateescape"), "columns.x")
        try:
            value = expression.value({"time": 2.0, "chance": 0.1}, ROWS)
        except FigureError as error:
            assert "\n" not in str(error)
        else:
            assert isinstance(value, (bool, int, float))

    fuzz("study expression", evaluate, mutated(EXPRESSIONS, WORDS), EXPRESSIONS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / qat.time", "its check divides by 0"),
        ("ptq.accuracy * 1.5", "int too large to convert to float"),
        ("qat.nan + 1", r"qat.nan \+ 1 is nan"),
        ("qat.nan", "qat.nan is nan"),
        ("1e308 * 10", "is inf"),
        ("qat.text + 1", r"qat.text is no number: \[1\]"),
    ],
)
def test_a_value_that_is_no_number_is_no_figure(text, message):
    with pytest.raises(FigureError, match=message):
        Expression(text, "key").value({}, ROWS)


@pytest.fixture
def results(tmp_path) -> Callable[[bytes], object]:
    """Reads results from the bytes of their file."""

    def read(data: bytes) -> object:
        (tmp_path / RESULTS).write_bytes(data)
        return [(one.entry, one.seed, dict(one.metrics), dict(one.params)) for one in Results(tmp_path / RESULTS).all]

    return read


def test_descriptions(tmp_path):
    path = written(tmp_path)
    good = [path.read_bytes()]
    words = [
        b"&a [*a]",
        b"title: [",
        b"entries: 5",
        b"rows: {}",
        b"? [a]",
        b"!!binary x",
        b"${",
        b"${seeds}",
        b"0x",
        b"- ",
    ]

    def read(data: bytes) -> None:
        path.write_bytes(data)
        read_study(path)

    fuzz("study.yaml", read, mutated(good, words), good)


@pytest.mark.parametrize("text", ["title: x\n bad: [", "[1, 2]", "5", "", "title: ${title}", "title: " + "9" * 5000])
def test_a_file_that_is_no_study_is_one_line(tmp_path, text):
    path = tmp_path / "x" / "study.yaml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ConfigError, match="x/study.yaml") as caught:
        read_study(path)
    assert "\n" not in str(caught.value)


ONE = {
    "entry": "qat",
    "seed": 1,
    "command": "python -m maxexp",
    "run_id": "0" * 32,
    "params": {"seed": "1", "model.name": "x"},
    "metrics": {"test/accuracy_integer": 0.9},
    "tags": {"model": "x"},
    "data": {"cifar10-test": "abc"},
    "curves": {"val/accuracy": [[0, 0.5], [1, 0.75]]},
}


def test_results(results):
    good = [json.dumps([ONE, {**ONE, "seed": 2}], indent=1).encode()]
    words = [b"[]", b"{}", b"null", b"NaN", b'"seed": "1"', b"1e999", b"[" * 5000, b'"metrics": [1]', b"\\ud800"]
    fuzz("results.json", results, mutated(good, words), good)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "1"},
        {"metrics": {"a": "0.9"}},
        {"metrics": [1]},
        {"params": None},
        {"tags": {"a": 1}},
        {"curves": {"a": [[0]]}},
        {"curves": {"a": 5}},
        {"entry": None},
        {"more": 1},
    ],
)
def test_results_of_another_form_are_damaged(results, change):
    with pytest.raises(StudyError, match=r"results.json is damaged: .*; restore it, or remove it"):
        results(json.dumps([ONE | change]).encode())
    assert len(results(json.dumps([ONE]).encode())) == 1
