"""Batch normalization: folded networks compute what they did, estimates are those of the data."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.quantization.simulate.fake import ClampedNumerics, set_numerics
from maxexp.quantization.simulate.fold import estimate_batchnorm, fold_batchnorm

LAYERS = {
    "a": {"out_channels": 6, "batchnorm": "affine", "dropout": 0.5},
    "b": {"out_channels": 6, "batchnorm": "no_affine", "pool": "avg", "dropout": 0.5},
    "c": {"op": "linear", "out_features": 3, "wide": True, "dropout": 0.5},
}


@pytest.mark.parametrize("maker", [False, True])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_folded_network_is_the_network_in_evaluation_mode(make_network, make_module, maker, seed):
    module = make_module(make_network(LAYERS, (3, 8, 8)), seed).double()
    if maker:
        set_numerics(module, ClampedNumerics())
    x = torch.empty(4, 3, 8, 8, dtype=torch.float64).uniform_(-1, 1)
    expected = module(x)
    fold_batchnorm(module)
    assert not any("bn" in name for name, _ in module.named_parameters())
    assert torch.allclose(module(x), expected, rtol=1e-12, atol=1e-12)


def test_the_maker_divides_normalized_values_by_four(make_network, make_module):
    """docs/hardware.md, Batch normalization: W g / 4 r, (B - mean) r g / 4 + beta / 4."""
    module = make_module(make_network(LAYERS, (3, 8, 8))).double()
    set_numerics(module, ClampedNumerics())
    layer = module.layers()[0]
    bn, weight, bias = layer.bn, layer.weight.clone(), layer.bias.clone()
    r = 1 / (bn.running_var + 1e-5).sqrt()
    fold_batchnorm(module)
    assert torch.allclose(layer.weight, weight * (bn.weight / 4 * r)[:, None, None, None], rtol=1e-12)
    assert torch.allclose(layer.bias, (bias - bn.running_mean) * r * bn.weight / 4 + bn.bias / 4, rtol=1e-12)


def test_estimated_statistics_are_those_of_the_network_without_dropout(make_network, make_module):
    """Of one batch, computed directly: each norm sees what the layers before it give with its own statistics."""
    module = make_module(make_network(LAYERS, (3, 8, 8))).double()
    module.train()
    images = torch.randn(64, 3, 8, 8, dtype=torch.float64)
    estimate_batchnorm(module, images)
    assert module.training and all(layer.training for layer in module.layers())
    a, b, _ = module.layers()
    first = a.compute(images, a.weight, a.bias)
    assert torch.allclose(a.bn.running_mean, first.mean((0, 2, 3)))
    assert torch.allclose(a.bn.running_var, first.var((0, 2, 3)))
    module.eval()
    second = b.compute(torch.nn.functional.avg_pool2d(a(images), 2), b.weight, b.bias)
    assert torch.allclose(b.bn.running_mean, second.mean((0, 2, 3)), atol=1e-3)
    assert torch.allclose(b.bn.running_var, second.var((0, 2, 3)), rtol=1e-2, atol=1e-3)
    assert a.bn.momentum == 0.05


def test_estimates_of_several_batches_are_their_mean(make_network, make_module):
    module = make_module(make_network(LAYERS, (3, 8, 8))).double()
    images = torch.randn(64, 3, 8, 8, dtype=torch.float64)
    estimate_batchnorm(module, images, batch_size=16)
    first = module.layers()[0]
    outputs = first.compute(images, first.weight, first.bias)
    assert torch.allclose(first.bn.running_mean, outputs.mean((0, 2, 3)))
    batches = torch.stack([part.var((0, 2, 3)) for part in outputs.split(16)])
    assert torch.allclose(first.bn.running_var, batches.mean(0))
