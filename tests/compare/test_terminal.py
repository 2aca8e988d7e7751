"""What a comparison prints where there is little room."""

import io

import pytest
from rich.console import Console

from maxexp.compare.lines import PIECE, broken
from maxexp.compare.terminal import print_comparison
from maxexp.compare.text import quantization
from maxexp.report.comparison.comparison import compare
from maxexp.tracking.metrics import MAIN

CLASSIFIED = [metric for metric in MAIN if "mse" not in metric.key]
LONG = "recipe.distillation.model.layers.conv1.out_channels"
NAMES = {
    "cmsisnnet-cifar10-qat recipe.distillation.temperature=4 seed=1": "0.00152",
    "cmsisnnet-cifar10-ptq quantization.method.images=1000": "reduce_on_plateau(patience=10)",
    "simplenet-cifar10-none": "16",
}


@pytest.fixture(scope="module")
def comparison(make_runs):
    runs = make_runs()
    for index, (name, value) in enumerate(NAMES.items()):
        metrics = {"test/accuracy_float": 0.8125 + index / 100, "val/best_accuracy": 0.7125 + index / 100}
        run_id = runs.write(name, params={LONG: value}, metrics=metrics, accuracy=0.7 + index / 10)
        runs.store.client.set_tag(run_id, "quantization", name.split()[0].rpartition("-")[2])
        runs.store.client.set_tag(run_id, "weight_bits", "8")
    return compare(runs.find())


def printed(comparison, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    print_comparison(comparison, console)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_every_cell_that_is_shown_is_whole(comparison, width):
    lines = printed(comparison, width)
    text, words = "\n".join(lines), {word for line in lines for word in line.split()}
    left_out = " ".join(lines).partition("--out have them: ")[2].partition(".")[0]
    assert max(map(len, lines)) <= width and "…" not in text
    for details in comparison.runs:
        assert {piece for word in details.run.name.split() for piece in PIECE.split(word)} <= pieces(words)
        assert details.run.run_id[:8] in words or "id" in left_out.split("; ")
        assert quantization(details) in text or "quantization" in left_out
        for metric in CLASSIFIED:
            value = metric.text(details.run.metrics[metric.key])
            assert (value in words) != (metric.label in left_out), metric.label


def pieces(words: set[str]) -> set[str]:
    return {piece for word in words for piece in PIECE.split(word)} | words


def test_the_least_important_columns_are_left_out_and_named(comparison):
    left_out = " ".join(printed(comparison, 80)).partition("--out have them: ")[2].partition(".")[0]
    assert left_out == "accuracy, float; accuracy, validation"
    assert "Left out" not in " ".join(printed(comparison, 200))


def test_a_long_key_is_broken_rather_than_a_value(comparison):
    lines = printed(comparison, 60)
    differences = lines[next(i for i, line in enumerate(lines) if line.startswith("differences")) :]
    assert all(any(value in line.split() for line in differences) for value in NAMES.values())
    assert not any(LONG in line for line in differences)
    assert any(LONG in line for line in printed(comparison, 200))


def test_short_values_leave_headings_and_title_whole(make_runs):
    runs = make_runs()
    for seed in ("1", "2"):
        runs.write(f"r{seed}", params={"seed": seed})
    lines = printed(compare(runs.find()), 80)
    title = lines.index("differences in configuration")
    assert [line.split() for line in lines[title + 1 : title + 2]] == [["key", "value", "runs"]]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("recipe.learning_rate=0.001", 14, ["recipe.", "learning_", "rate=0.001"]),
        ("nascifarnet seed=1", 30, ["nascifarnet seed=1"]),
        ("unbreakable", 4, ["unbreakable"]),
    ],
)
def test_lines_are_broken_between_words_then_behind_punctuation(text, width, lines):
    assert broken(text, width).split("\n") == lines
