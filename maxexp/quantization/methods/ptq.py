"""Post-training quantization: equalize, calibrate, then quantize layer after layer."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from maxexp.network.graph import INPUT, Network
from maxexp.network.module import LayerModule, NetworkModule
from maxexp.quantization.config import QuantizationConfig
from maxexp.quantization.methods.bias_correction import correct_bias
from maxexp.quantization.methods.calibration import calibrate
from maxexp.quantization.methods.equalization import equalize
from maxexp.quantization.methods.scale_search import search_scales
from maxexp.quantization.simulate.fake import ClampedNumerics, QuantizedNumerics
from maxexp.quantization.simulate.fold import fold_batchnorm
from maxexp.quantization.simulate.rescaling import divide_tensors

SEARCH_IMAGES, CORRECTION_IMAGES = 64, 256
"""Of the calibration images, how many scales and biases are chosen on; more gain little."""


def quantize_after_training(module: NetworkModule, inputs: Tensor, config: QuantizationConfig) -> None:
    """Quantizes a trained floating-point network in place.

    Args:
        inputs: (N, C, H, W) training images as the network reads them.
    """
    bits = config.bits(module.network)
    prepare(module, inputs, config)
    exact = copy.deepcopy(module)
    # What these do to sums and averages, biases behind them can make up for.
    for layer in module.layers():
        if layer.op is None:
            layer.numerics = QuantizedNumerics()
    quantize_layers(exact, module, inputs, bits, config)


def prepare(module: NetworkModule, inputs: Tensor, config: QuantizationConfig) -> None:
    """Prepares without rounding: batch norm folded, channels equalized, activations in the chip's range; in
    place."""
    fold_batchnorm(module)
    # A clamp cuts each channel at a range of its own once factors move it: not the same function any more.
    clamped = any(isinstance(layer.numerics, ClampedNumerics) for layer in module.layers())
    if config.equalize and not clamped:
        equalize(module, inputs, config.bits(module.network))
    calibrate(module, inputs)


@torch.no_grad()
def quantize_layers(
    exact: NetworkModule, module: NetworkModule, inputs: Tensor, bits: dict[str, int], config: QuantizationConfig
) -> dict[str, float]:
    """Quantizes the layers that ``bits`` names, in place and in order, each for what the layers before it give.

    Args:
        exact: what the network should compute; left as it is.
        module: a copy of it; layers that are not named stay as they are.

    Returns:
        Squared error of each quantized layer's output, as a share of its mean square.
    """
    errors = {}
    factors = dict.fromkeys((INPUT, *module.network.by_name), 1.0)
    movable = _movable_tensors(module.network)
    module.eval()
    for step in _lockstep(exact, module, inputs[:CORRECTION_IMAGES]):
        layer, operands, name = step.layer, step.operands, step.layer.spec.name
        group = movable.get(name, [])
        for tied in group:
            del movable[tied]  # the first layer that writes to a group settles its scale
        if name not in bits:
            continue
        target = step.target / factors[name]
        layer.numerics = QuantizedNumerics(bits[name], quantile=config.shift_quantile)
        if config.search_scales:
            few, centered = [x[:SEARCH_IMAGES] for x in operands], config.correct_biases and layer.bias is not None
            factor, layer.numerics = search_scales(
                layer, few, target[:SEARCH_IMAGES], bits[name], bool(group), centered
            )
            divide_tensors(module, group, torch.tensor(factor, dtype=torch.float64))
            factors.update({tied: factors[tied] * factor for tied in group})
            target = target / factor
        if config.correct_biases and layer.bias is not None:
            correct_bias(layer, operands, target)
        power = target.square().mean().clamp(min=torch.finfo(target.dtype).tiny)
        errors[name] = float((layer(*operands) - target).square().mean() / power)
    return errors


def _movable_tensors(network: Network) -> dict[str, list[str]]:
    """Tensors whose scale may be chosen, with those that share it: all but the network's input and output."""
    ends = {INPUT, network.layers[-1].name}
    return {name: group for group in network.tied_tensors if not ends & set(group) for name in group}


@dataclass(frozen=True)
class _Step:
    """A layer with weights, before it computes: what it reads in the changed network, and its exact output."""

    layer: LayerModule
    operands: list[Tensor]
    target: Tensor


def _lockstep(reference: NetworkModule, module: NetworkModule, inputs: Tensor) -> Iterator[_Step]:
    """Runs two versions of a network side by side; each layer of the second can be changed when it is yielded."""
    network = module.network
    exact, changed = {INPUT: inputs}, {INPUT: inputs}
    for index, (other, layer) in enumerate(zip(reference.layers(), module.layers(), strict=True)):
        spec = layer.spec
        operands = [changed[name] for name in spec.inputs]
        exact[spec.name] = other(*(exact[name] for name in spec.inputs))
        if layer.op is not None:
            yield _Step(layer, operands, exact[spec.name])
        changed[spec.name] = layer(*operands)
        for name in set(spec.inputs):
            if network.last_use[name] == index:
                del exact[name], changed[name]
