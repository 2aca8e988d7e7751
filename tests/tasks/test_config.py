"""Tasks that do not fit their data set or network are refused, without torch."""

import pytest

from maxexp.base.errors import ConfigError
from maxexp.run.composition import described_network
from tests.conftest import composed

DIABETES = "+experiment=diabetes_qat"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ((DIABETES, "task=classification"), "data set diabetes has real targets; set task=regression"),
        (("task=regression",), "data set digits has classes; set task=classification"),
        ((DIABETES, "model.layers.output.out_features=2"), r"output gives 2 outputs, dataset\.num_outputs is 1"),
        ((DIABETES, "dataset.num_outputs=2"), r"dataset\.num_outputs=2: must be 1 with dataset\.source=diabetes"),
        ((DIABETES, "dataset.num_classes=2"), "give one of the two"),
        (("dataset.num_outputs=1",), "give one of the two"),
        (("dataset.range=[1,0]",), r"must be \[LOW,HIGH\]"),
    ],
)
def test_what_does_not_fit_is_refused(overrides, message):
    with pytest.raises(ConfigError, match=message) as caught:
        described_network(composed(*overrides))
    assert "\n" not in str(caught.value)


def test_a_map_is_no_classification_but_may_be_a_regression():
    layers = ("model.layers.output.op=conv2d", "model.layers.output.out_features=null")
    shape = ("dataset.source=arrays", "dataset.channels=4", "dataset.height=2", "dataset.width=2")
    network = described_network(
        composed(DIABETES, *shape, *layers, "model.layers.output.out_channels=4", "dataset.num_outputs=16")
    )
    assert network.layers[-1].out_shape == (4, 2, 2)
