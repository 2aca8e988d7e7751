"""Made-up weights and images, for what does not depend on them: cost, memory, and whether a network fits."""

from math import ceil, log2

import torch
from torch import Tensor

from maxexp.chip.numbers.arithmetic import MAX_SHIFT
from maxexp.chip.numbers.integer import IntegerLayer, IntegerNetwork, integer_layer
from maxexp.network.graph import Network
from maxexp.network.layer import Layer
from maxexp.network.sizes import Shape


def random_integers(network: Network, bits: dict[str, int], seed: int) -> IntegerNetwork:
    """An integer network with weights and biases of full range, and shifts that keep values within range.

    Args:
        bits: weight bits by layer name; 8 where not named.
    """
    generator = torch.Generator().manual_seed(seed)
    return IntegerNetwork(network, [_random_layer(layer, bits.get(layer.name, 8), generator) for layer in network])


def random_image(shape: Shape, seed: int) -> Tensor:
    """Returns (C, H, W) int64 from -128 to 127."""
    return torch.randint(-128, 128, shape, generator=torch.Generator().manual_seed(seed))


def _random_layer(layer: Layer, bits: int, generator: torch.Generator) -> IntegerLayer:
    if not layer.has_weights:
        return IntegerLayer(layer)
    half = 2 ** (bits - 1)
    # As many above as below zero, else a few layers with ReLU leave nothing; 1-bit weights are -1 and 0.
    weight = torch.randint(min(1 - half, -1), max(half, 1), layer.weight_shape, generator=generator)
    weight.view(-1)[0] = -half
    shift = _keeping_shift(weight)
    # Negative sums of 1-bit weights need all that a bias can add; else it is not to drown the image.
    reach = 64 if bits == 1 else max(2, min(64, int(32 / 2**shift)))
    bias = torch.randint(-reach, reach, (layer.biases,), generator=generator) if layer.bias else None
    if bias is not None and not bool(bias.any()):
        bias[0] = 1  # the synthesizer drops biases that are all zero
    return integer_layer(layer, weight, bias, bits, shift)


def _keeping_shift(weight: Tensor) -> int:
    """The output shift behind which values are as large as in front of the layer, or up to twice.

    A ReLU leaves half of the mean square of what is as often negative as positive.
    """
    squares = float(weight.float().square().sum()) / len(weight)
    return max(-MAX_SHIFT, min(MAX_SHIFT, ceil(7 + log2(2 / squares) / 2)))
