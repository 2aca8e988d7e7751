"""Cross-layer equalization: the channels of every tensor brought to like ranges, exactly.

All channels of a layer share one scale, for weights, biases and activations, so what is weak in one of them loses
resolution. A factor for each channel moves its strength between the layers that write and that read it (Nagel et
al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019). Theirs balances the weights
of both sides; here the range of the activation, whose grid is fixed, counts as much as either side.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from maxexp.chip.numbers.arithmetic import BIAS_BITS
from maxexp.network.graph import INPUT
from maxexp.network.module import LayerModule, NetworkModule
from maxexp.quantization.simulate.observation import observe
from maxexp.quantization.simulate.rescaling import divide_tensors

SWEEPS = 50
TOLERANCE = 1e-3
"""Sweeps over the network end when no factor differs from 1 by more."""


@torch.no_grad()
def equalize(module: NetworkModule, inputs: Tensor, bits: dict[str, int], batch_size: int = 256) -> None:
    """Rescales the channels of a network without batch normalization or clamps, in place.

    The factor of a channel makes the geometric mean of its three ranges, weights with bias of the writers,
    activation, inverse weights of the readers, the same for all channels of a tensor. Channels of tied tensors
    have one factor; the network's input and output keep theirs.

    Args:
        inputs: (N, C, H, W) training images as the network reads them.
        bits: weight bits by layer name; they set how much of a scale a bias takes.
    """
    ends = {INPUT, module.network.layers[-1].name}
    groups = [group for group in module.network.tied_tensors if not ends & set(group)]
    activations = _activation_ranges(module, inputs, batch_size)
    operations = [layer for layer in module.layers() if layer.op is not None]
    for _ in range(SWEEPS):
        change = 0.0
        for group in groups:
            written = _largest(_row_ranges(x, bits[x.spec.name]) for x in operations if x.spec.name in group)
            read = _largest(x.weight_by_input.abs().amax((0, 2)) for x in operations if x.spec.inputs[0] in group)
            kept = torch.stack([activations[name] for name in group]).amax(0)
            factor = _balance(written, kept, read)
            divide_tensors(module, group, factor)
            for name in group:
                activations[name] = activations[name] / factor
            change = max(change, float(factor.log().abs().max()))
        if change < TOLERANCE:
            break


def _balance(written: Tensor, kept: Tensor, read: Tensor) -> Tensor:
    """Factors (channels,) with geometric mean 1; a dead channel keeps 1, it has no range to balance."""
    alive = (written > 0) & (kept > 0) & (read > 0)
    logarithm = (written * kept / read).log() / 3
    return torch.where(alive, (logarithm - logarithm[alive].mean()).exp(), 1.0)


def _largest(ranges: Iterable[Tensor]) -> Tensor:
    """The largest share, over several layers, that each channel takes of a layer's range."""
    return torch.stack([reach / reach.max().clamp(min=torch.finfo(reach.dtype).tiny) for reach in ranges]).amax(0)


def _row_ranges(layer: LayerModule, bits: int) -> Tensor:
    """Returns what each output channel needs of the layer's scale, the bias as in ``weight_exponent``."""
    reach = layer.weight_by_output.flatten(1).abs().amax(1)
    if layer.bias is None:
        return reach
    return reach.maximum(layer.bias.detach().abs() * 2.0 ** (bits - BIAS_BITS))


def _activation_ranges(module: NetworkModule, inputs: Tensor, batch_size: int) -> dict[str, Tensor]:
    """Returns the largest magnitude in each channel of each layer's output."""
    ranges: dict[str, Tensor] = {}

    def keep(name: str, y: Tensor) -> None:
        reach = y.abs().amax((0, 2, 3))
        ranges[name] = reach.maximum(ranges[name]) if name in ranges else reach

    observe(module, inputs, batch_size, keep)
    return ranges
