"""Modules with weights as if trained, and inputs on the chip's grid."""

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from maxexp.network.graph import Network
from maxexp.network.module import NetworkModule


@pytest.fixture(scope="session")
def make_module() -> Callable[..., NetworkModule]:
    """``make_module(network, seed)``: weights of many scales, biases, and statistics of batch norm."""

    def make_module(network: Network, seed: int = 0) -> NetworkModule:
        generator = torch.Generator().manual_seed(seed)
        module = NetworkModule(network).eval()
        for layer in module.layers():
            if layer.op is None:
                continue
            fan_in = layer.weight[0].numel()
            gain = 2.0 ** float(torch.empty(()).uniform_(-1, 2, generator=generator))
            layer.weight.data.normal_(0, gain / fan_in**0.5, generator=generator)
            if layer.bias is not None:
                layer.bias.data.normal_(0, 0.2, generator=generator)
            if layer.bn is not None:
                layer.bn.running_mean.normal_(0, 0.3, generator=generator)
                layer.bn.running_var.uniform_(0.3, 3, generator=generator)
                if layer.bn.affine:
                    layer.bn.weight.data.uniform_(0.5, 2, generator=generator)
                    layer.bn.bias.data.normal_(0, 0.3, generator=generator)
        return module

    return make_module


@pytest.fixture(scope="session")
def random_images() -> Callable[..., Tensor]:
    """``random_images(network, count)``: integers -128 to 127, extremes included."""

    def random_images(network: Network, count: int, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        images = torch.randint(-128, 128, (count, *network.in_shape), generator=generator)
        images[0], images[-1] = -128, 127
        return images

    return random_images


@pytest.fixture(scope="session")
def random_bits() -> Callable[..., dict[str, int]]:
    """``random_bits(network, seed)``: 8, 4, 2 or 1 for every layer."""

    def random_bits(network: Network, seed: int) -> dict[str, int]:
        draw = random.Random(seed)
        return {layer.name: draw.choice([8, 4, 2, 1]) for layer in network if layer.has_weights}

    return random_bits
