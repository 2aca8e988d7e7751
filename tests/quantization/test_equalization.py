"""Equalization: the same function, with channels of like ranges."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maxexp.quantization.methods.equalization import equalize
from maxexp.quantization.simulate.fold import fold_batchnorm


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_function_stays_as_it_was(random_network, make_module, random_images, random_bits, seed):
    """Sums, passthrough, both poolings, linear layers behind maps, outputs of 8 and 32 bits."""
    network = random_network(seed)
    module = make_module(network, seed).double()
    x = random_images(network, 8, seed).double() / 128
    before = module(x).detach()
    equalize(module, x, random_bits(network, seed))
    assert torch.allclose(module(x), before, rtol=1e-9, atol=1e-9 * float(before.abs().max()))


RESIDUAL = {
    "a": {"out_channels": 8},
    "b": {"out_channels": 8, "pool": "max"},
    "d": {"out_channels": 8, "activation": "abs"},
    "c": {"out_channels": 8, "inputs": ["b", "d"], "eltwise": "add"},
    "e": {"op": "linear", "out_features": 5, "wide": True},
}


def spread(values):
    """Largest over smallest."""
    return float((values.max() / values.min()).detach())


def test_uneven_channels_become_even_again(make_network, make_module, random_images):
    """Factors of 1/30 to 30 put on the channels by hand, the tied tensors with one set, are taken out."""
    network = make_network(RESIDUAL, (3, 12, 12))
    x = random_images(network, 32).double() / 128
    generator = torch.Generator().manual_seed(5)
    ranges = {}
    for uneven in (False, True):
        module = make_module(network, 2).double()
        a, b, d, c, e = module.layers()
        if uneven:
            for writers, readers in (((a,), (b,)), ((b, d), (d, c)), ((c,), (e,))):
                factor = 30 ** torch.empty(8, dtype=torch.float64).uniform_(-1, 1, generator=generator)
                for layer in writers:
                    layer.weight.data *= factor[:, None, None, None]
                    layer.bias.data *= factor
                for layer in readers:
                    columns = layer.weight.data.view(len(layer.weight), 8, -1)
                    columns /= factor[:, None]
            assert spread(a.weight.abs().amax((1, 2, 3))) > 20
        equalize(module, x, dict.fromkeys(network.by_name, 8))
        ranges[uneven] = [layer.weight.abs().flatten(1).amax(1) for layer in module.layers()]
    # Up to one common factor for each tensor, which calibration chooses.
    for plain, recovered in zip(ranges[False], ranges[True], strict=True):
        assert torch.allclose(recovered / recovered.max(), plain / plain.max(), rtol=0.02)


def test_a_dead_channel_stays_and_harms_nobody(make_network, make_module, random_images):
    network = make_network(RESIDUAL, (3, 12, 12))
    module = make_module(network, 3).double()
    first = module.layers()[0]
    first.weight.data[2] = 0
    first.bias.data[2] = 0
    x = random_images(network, 8).double() / 128
    before = module(x).detach()
    equalize(module, x, dict.fromkeys(network.by_name, 4))
    assert torch.allclose(module(x), before, rtol=1e-9, atol=1e-9)
    assert not first.weight[2].any()


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_the_module_is_left_as_it_was(make_network, make_module, random_images, training):
    network = make_network(RESIDUAL, (3, 12, 12))
    module = make_module(network, 3)
    fold_batchnorm(module)
    module.train(training)
    equalize(module, random_images(network, 4).float() / 128, dict.fromkeys(network.by_name, 8))
    assert module.training is training
