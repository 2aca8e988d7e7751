"""Made-up weights: an answer that depends on the image, however deep the network."""

import pytest

from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.synthesis.stand_in import random_image, random_integers

SHAPE = (3, 32, 32)


def answers(integer: IntegerNetwork) -> set[tuple[int, ...]]:
    """To four images."""
    return {tuple(integer(random_image(integer.network.in_shape, seed)[None])[0].tolist()) for seed in range(4)}


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_values_live_through_many_layers(make_network, bits, bias):
    """The maker's ResSimpleNet has 14 layers without biases; its known answer would be all zeros."""
    layers = {f"conv{i}": {"out_channels": 16, "bias": bias} for i in range(14)}
    layers |= {"fc": {"op": "linear", "out_features": 8, "wide": True, "bias": bias}}
    network = make_network(layers, (3, 12, 12))
    found = answers(random_integers(network, dict.fromkeys(layers, bits), 1))
    assert len(found) == 4 and all(any(answer) for answer in found)


@pytest.mark.parametrize("name", ["nascifarnet", "cmsisnnet", "simplenet"])
@pytest.mark.parametrize("bits", [8, 4, 2])
def test_presets_answer_each_image_differently(model, name, bits):
    network = model(name)
    assert len(answers(random_integers(network, {x.name: bits for x in network if x.has_weights}, 1))) == 4


@pytest.mark.parametrize("bits", [8, 4, 2, 1])
def test_weights_have_the_whole_range(make_network, bits):
    """Down to the one negative value that has no positive counterpart."""
    network = make_network({"a": {"out_channels": 64}, "b": {"op": "linear", "out_features": 2}}, SHAPE)
    weight = random_integers(network, {"a": bits, "b": bits}, 1).layers[0].weight
    assert weight.min() == -(2 ** (bits - 1)) and weight.max() == (2 ** (bits - 1) - 1 if bits > 1 else 0)
