"""Sensitivity: damages that are there, and assignments that no other beats."""

import itertools
import random
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.base.errors import ConfigError, DeviceError
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.quantization.methods.sensitivity import analyse, best_assignments, propose
from maxexp.report.figures.sensitivity import sensitivity_figure, sensitivity_markdown, sensitivity_table
from maxexp.tasks.classification import Classification

LAYERS = {
    "a": {"out_channels": 8},
    "b": {"out_channels": 16, "pool": "max"},
    "p": {"op": "passthrough", "pool": "avg"},
    "c": {"out_channels": 12},
    "d": {"op": "linear", "out_features": 4, "wide": True},
}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_assignments_are_the_best_of_all(make_network, max78000, seed):
    """Brute force over all 256, for every budget; ties included."""
    network = make_network(LAYERS, (3, 16, 16))
    draw = random.Random(seed)
    names = [layer.name for layer in network if layer.has_weights]
    losses = {name: {bits: draw.choice([0.0, draw.random()]) for bits in (8, 4, 2, 1)} for name in names}
    front = best_assignments(network, losses)
    everything = [dict(zip(names, bits, strict=True)) for bits in itertools.product((8, 4, 2, 1), repeat=4)]
    costs = [
        (
            sum(network.by_name[n].weights * b // 8 for n, b in bits.items()),
            sum(losses[n][b] for n, b in bits.items()),
        )
        for bits in everything
    ]
    for budget in {size for size, _ in costs}:
        least = min(loss for size, loss in costs if size <= budget)
        proposal = propose(front, network, budget, max78000)
        assert proposal.weight_bytes <= budget
        assert proposal.divergence == pytest.approx(least, abs=1e-12)
        size = sum(network.by_name[n].weights * b // 8 for n, b in proposal.bits.items())
        assert proposal.weight_bytes == size


def test_a_proposal_fits_the_part(make_network, max78000):
    """Few enough bytes are not enough: the part's other limits hold too."""
    layers = {"a": {"out_channels": 4}, "b": {"op": "linear", "out_features": 2, "wide": True}}
    network = make_network(layers, (3, 8, 8))
    losses = {name: {8: 0.0, 4: 1.0, 2: 2.0, 1: 3.0} for name in ("a", "b")}
    front = best_assignments(network, losses)
    assert propose(front, network, network.weights, max78000).bits == {"a": 8, "b": 8}
    with pytest.raises(ConfigError, match="weight_budget=10: 1 bit in every layer takes"):
        propose(front, network, 10, max78000)
    small = replace(max78000, limits=replace(max78000.limits, layers=1))
    with pytest.raises(DeviceError, match="at most 1"):
        propose(front, network, network.weights, small)


@pytest.fixture(scope="module")
def found(make_network, make_module, random_images, max78000):
    network = make_network(LAYERS, (3, 16, 16))
    module = make_module(network, 3)
    images = random_images(network, 200).float() / 128
    with torch.no_grad():
        labels = module(images).argmax(1)
    return analyse(module, images, images, labels, QuantizationConfig(Method.ptq), max78000, Classification())


def test_fewer_bits_do_more_damage(found):
    assert list(found.damages) == ["a", "b", "c", "d"]
    assert found.unharmed.score == 1
    for row in found.damages.values():
        errors = [row[bits].output_error for bits in (8, 4, 2, 1)]
        assert errors == sorted(errors)
        assert errors[0] < 0.01 < errors[3]
        divergences = [row[bits].divergence for bits in (8, 4, 2, 1)]
        assert divergences == sorted(divergences) and divergences[0] >= 0
        assert row[1].score <= 0


def test_the_report_holds_what_was_found(found):
    table = sensitivity_table(found)
    assert table["budget"] == found.network.weights // 2
    assert [row["name"] for row in table["layers"]] == ["a", "b", "c", "d"]
    assert table["layers"][1]["bits"]["4"]["divergence"] == found.damages["b"][4].divergence
    text = sensitivity_markdown(found, Classification())
    override = "'quantization.layer_bits={" + ",".join(f"{n}:{b}" for n, b in found.proposal.bits.items()) + "}'"
    assert override in text and table["proposal"]["override"] == override
    for name, row in found.damages.items():
        assert f"| {name} | {found.network.by_name[name].weights:,} | {1000 * row[8].divergence:.2f}" in text
    figure = sensitivity_figure(found)
    figure.canvas.draw()
    assert len(figure.axes[0].texts) == 16
