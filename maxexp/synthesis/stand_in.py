"""Made-up weights and images, for what does not depend on them: cost, memory, and whether a network fits."""

from math import log2

import torch
from torch import Tensor

from maxexp.device.integer import IntegerLayer, IntegerNetwork, integer_layer
from maxexp.network.graph import Layer, Network, Shape


def random_integers(network: Network, bits: dict[str, int], seed: int) -> IntegerNetwork:
    """An integer network with weights and biases of full range, and shifts that keep values within range.

    Args:
        bits: weight bits by layer name; 8 where not named.
    """
    generator = torch.Generator().manual_seed(seed)
    return IntegerNetwork(network, [_random_layer(layer, bits.get(layer.name, 8), generator) for layer in network])


def random_image(shape: Shape, seed: int) -> Tensor:
    """(C, H, W) int64 from -128 to 127."""
    return torch.randint(-128, 128, shape, generator=torch.Generator().manual_seed(seed))


def _random_layer(layer: Layer, bits: int, generator: torch.Generator) -> IntegerLayer:
    if not layer.has_weights:
        return IntegerLayer(layer)
    half = 2 ** (bits - 1)
    weight = torch.randint(-half, half, layer.weight_shape, generator=generator)
    bias = torch.randint(-64, 64, (layer.biases,), generator=generator) if layer.bias else None
    if bias is not None and not bool(bias.any()):
        bias[0] = 1  # the synthesizer drops biases that are all zero
    fan_in = weight[0].numel()
    shift = round(7 - log2(half) - log2(fan_in) / 2)
    return integer_layer(layer, weight, bias, bits, max(-15, min(15, shift)))
