"""A run's predictions, histograms and summary picture."""

import numpy as np
import pytest

from maxexp.quantization.methods.layer_range import BINS, LayerRange, Range
from maxexp.report.figures.histograms import range_histograms, ranges_table, read_ranges, share_text
from maxexp.report.figures.run_picture import RunParts, run_picture
from maxexp.report.predictions import read_predictions, write_predictions
from maxexp.report.summary import Row

CLASSES = ["cat", "dog"]
LABELS = np.array([0, 0, 1, 1])
RANGES = [
    LayerRange("conv", 8, Range(tuple(range(BINS)), 0.25), Range((1,) * BINS, 0.00001)),
    LayerRange("fc", 4, Range((1,) * BINS, 0.0), None),
]


def test_predictions_nearest_to_the_chip_are_read_back(tmp_path):
    kinds = {"float": np.array([0, 0, 1, 1]), "integer": np.array([0, 1, 1, 1])}
    found = read_predictions(write_predictions(tmp_path, {**kinds, "labels": LABELS, "classes": np.array(CLASSES)}))
    assert found.kind == "integer"
    assert found.wrong.tolist() == [False, True, False, False]
    assert found.confusion.tolist() == [[1, 1], [0, 2]]
    assert found.classes == CLASSES


def test_ranges_survive_json():
    assert read_ranges(ranges_table(RANGES)) == RANGES


def test_each_layer_has_its_histograms_and_what_clips():
    figure = range_histograms(RANGES)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["conv, 8 bits\n25.00 % of weights, < 0.01 % of activations", "fc, 4 bits\n0 % of weights"]
    weights = figure.axes[0].patches[1].get_data().values
    assert weights.argmax() < BINS - 1 and weights[-1] == 0, "what clips is drawn in another colour"


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.1])
def test_a_small_share_is_not_rounded_to_none(share):
    assert (share_text(share) == "0 %") == (share == 0)


def test_the_picture_shows_the_parts_that_there_are(tmp_path):
    rows = [Row("cycles", "2,105", "estimated")]
    predictions = read_predictions(
        write_predictions(tmp_path, {"integer": LABELS, "labels": LABELS, "classes": np.array(CLASSES)})
    )
    layers = [{"name": "conv", "cycles": 7}, {"name": "fc", "cycles": 3}]
    cost = {"device": "max78000", "layers": layers, "totals": {"hw/cycles": 11}}
    curves = {"val/loss": [(0, 1.0)], "val/accuracy": [(0, 0.5)]}
    whole = run_picture(RunParts("a run", rows, curves, 0, predictions, cost, RANGES))
    titles = {axes.get_title() for axes in whole.axes}
    assert {"test images, integer: 100.00 % correct", "cycles of each layer on max78000"} <= titles
    bars = next(axes for axes in whole.axes if axes.get_xlabel() == "cycles, and 1 to start")
    assert [bar.get_width() for bar in bars.patches] == [7, 3]
    whole.canvas.draw()
    assert len(run_picture(RunParts("a run", rows, {})).axes) == 1
