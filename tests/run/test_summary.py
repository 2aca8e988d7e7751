"""What a run leaves of itself to look at."""

import json

import numpy as np
import pytest
from PIL import Image

from maxexp.report.predictions import read_predictions
from maxexp.tracking.artifacts import PREDICTIONS, RANGES, SUMMARY_PAGE, SUMMARY_PICTURE


def test_predictions_give_the_recorded_accuracies(quickstart, store):
    path = store.artifact(quickstart, PREDICTIONS)
    found = read_predictions(path)
    assert found.kind == "integer"
    assert 1 - found.wrong.mean() == pytest.approx(quickstart.data.metrics["test/accuracy_integer"])
    with np.load(path) as arrays:
        right = (arrays["float"] == arrays["labels"]).mean()
    assert right == pytest.approx(quickstart.data.metrics["test/accuracy_float"])


def test_histograms_hold_every_weight(quickstart, store):
    table = json.loads(store.artifact(quickstart, RANGES).read_text())
    weights = sum(sum(layer["weights"]["counts"]) for layer in table["layers"])
    assert weights == quickstart.data.metrics["hw/weight_bytes"], "8 bits each"


def test_the_summary_is_a_page_and_a_picture(quickstart, store):
    page = store.artifact(quickstart, SUMMARY_PAGE).read_text()
    assert quickstart.info.run_id in page and "still running" not in page
    picture = Image.open(store.artifact(quickstart, SUMMARY_PICTURE)).convert("RGB")
    assert min(picture.size) > 1000
    assert len(picture.getcolors(maxcolors=2**24)) > 50
