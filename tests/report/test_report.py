"""Tables and pictures of one run."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_hex
from rich.console import Console

from maxexp.chip.check import check_fit
from maxexp.report.figures.layer_colors import INPUT_COLOR
from maxexp.report.figures.memory_picture import memory_picture
from maxexp.report.figures.plots import confusion_matrix, learning_curves
from maxexp.report.summary import print_results, result_rows, results_markdown

METRICS = {"hw/latency_us": 4564.34, "test/accuracy_integer": 0.9001, "hw/macs": 36_180_992, "unknown": 1.0}


def test_rows_have_units_and_sources():
    rows = {row.name: (row.value, row.source) for row in result_rows(METRICS, {"hw.source": "emulated"})}
    assert rows == {
        "latency": ("4.564 ms", "emulated"),
        "test accuracy, integers as on the chip": ("90.01 %", "computed"),
        "multiply-accumulates": ("36,180,992", "counted"),
    }


@pytest.mark.parametrize("source", ["estimated", "synthesized", "measured"])
def test_weights_are_counted_and_data_memory_is_what_our_model_says(source):
    """Whatever times a network, its bits say what its weights take; where tensors lie is never measured."""
    metrics = {"hw/weight_bytes": 301_760.0, "hw/bias_bytes": 842.0, "hw/data_bytes": 65_536.0}
    rows = {row.name: row.source for row in result_rows(metrics, {"hw.source": source})}
    assert rows == {"weight memory": "counted", "bias memory": "counted", "data memory, peak": "estimated"}


@pytest.mark.parametrize(
    ("tags", "cycles"),
    [
        ({"hw.source": "estimated"}, "estimated"),
        ({"hw.source": "emulated"}, "emulated"),
        ({"hw.source": "measured"}, "estimated"),
        ({"hw.source": "synthesized", "ai8x.version": "a1"}, "synthesized"),
        ({"hw.source": "emulated", "ai8x.version": "a1"}, "synthesized"),
        ({"hw.source": "measured", "ai8x.version": "a1"}, "synthesized"),
    ],
)
def test_no_board_measures_cycles_and_only_the_emulated_one_counts_them(tags, cycles):
    assert [row.source for row in result_rows({"hw/cycles": 5.0}, tags)] == [cycles]


def test_a_row_without_evidence_is_never_called_measured():
    assert {row.source for row in result_rows(METRICS, {})} == {"computed", "counted"}


def test_tables_hold_every_row():
    rows = result_rows(METRICS, {})
    text = io.StringIO()
    print_results("a title", rows, Console(file=text, width=100))
    markdown = results_markdown(rows)
    for row in rows:
        assert row.value in text.getvalue()
        assert f"| {row.name} | {row.value} | {row.source} |" in markdown


def test_curves_show_both_parts_in_percent_from_epoch_one():
    history = {"train/accuracy": [(0, 0.5), (1, 0.7)], "val/accuracy": [(0, 0.4), (1, 0.6)]}
    axes = learning_curves(history, qat_epoch=1).axes[0]
    training, validation, mark = axes.lines
    assert training.get_xdata().tolist() == [1, 2]
    assert training.get_ydata().tolist() == [50, 70]
    assert validation.get_ydata().tolist() == [40, 60]
    assert set(mark.get_xdata()) == {1.5}


def test_confusion_is_a_share_of_each_true_class():
    figure = confusion_matrix(np.array([[3, 1], [0, 2]]), ["cat", "dog"], "title")
    image = figure.axes[0].images[0].get_array()
    assert image.tolist() == [[75, 25], [0, 100]]
    assert [text.get_text() for text in figure.axes[0].texts] == ["75", "25", "100"]


@pytest.mark.parametrize("classes", [2, 100])
def test_confusion_of_any_number_of_classes_draws(classes):
    counts = np.eye(classes, dtype=int)
    figure = confusion_matrix(counts, [f"class {i}" for i in range(classes)], "title")
    figure.canvas.draw()
    assert len(figure.axes[0].get_xticklabels()) == classes


def test_the_memory_picture_shows_every_tensor_and_all_kernels(make_network, max78000):
    layers = {
        "a": {"out_channels": 8},
        "b": {"out_channels": 8},
        "sum": {"out_channels": 70, "inputs": ["a", "b"], "eltwise": "add"},
        "end": {"out_channels": 2},
    }
    memory = check_fit(make_network(layers, (3, 8, 8)), {}, max78000).memory
    figure = memory_picture(memory)
    data, kernels = figure.axes
    # input: 1 instance; a: 2; its copy and b share 2; 70 channels in 2 passes of 36 processors: 9; end: 1.
    assert len(data.patches) == 1 + 2 + 2 + 9 + 1
    assert len(kernels.patches) == 4
    layers = ["a", "b", "a-for-sum", "sum", "end"]
    assert [text.get_text() for text in figure.legends[0].texts] == layers
    assert {"input", "a"} <= {text.get_text() for text in data.texts} <= {"input", "a-for-sum, b", *layers}
    assert {text.get_text() for text in kernels.texts} <= {"a", "b", "sum", "end"}
    assert [label.get_text() for label in data.get_xticklabels()] == ["input", *layers]
    first_row = [axes.get_ylim()[1] for axes in (data, kernels)]
    assert first_row == [0, 0], "from the top, as on the page"
    assert sum(patch.get_width() * patch.get_height() for patch in kernels.patches) == sum(
        memory.kernel_columns[x.name] * len(memory.processors(x.inputs[0])) for x in memory.network
    )


def test_what_a_layer_writes_has_the_colour_of_its_kernels(make_network, max78000):
    layers = {"a": {"out_channels": 8}, "end": {"out_channels": 2}}
    data, kernels = memory_picture(check_fit(make_network(layers, (3, 8, 8)), {}, max78000).memory).axes
    # Instances: 1 of the input, 2 of a's output, 1 of the end's.
    of_input, of_a, _, of_end = [to_hex(patch.get_facecolor()) for patch in data.patches]
    assert [of_a, of_end] == [to_hex(patch.get_facecolor()) for patch in kernels.patches]
    assert of_input == INPUT_COLOR
