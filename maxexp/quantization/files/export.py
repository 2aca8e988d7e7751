"""The export of a quantized torch module to the integer network."""

import torch

from maxexp.chip.numbers.arithmetic import output_shift, quantize_weight
from maxexp.chip.numbers.integer import IntegerLayer, IntegerNetwork, integer_layer
from maxexp.network.module import LayerModule, NetworkModule
from maxexp.quantization.simulate.fake import quantized_numerics


@torch.no_grad()
def to_integer(module: NetworkModule) -> IntegerNetwork:
    """The integers that the chip holds for a module with quantized numerics (see ``quantize_module``)."""
    return IntegerNetwork(module.network, [_export(layer) for layer in module.layers()])


def _export(layer: LayerModule) -> IntegerLayer:
    if layer.op is None:
        return IntegerLayer(layer.spec)
    numerics = quantized_numerics(layer)
    exponent = numerics.exponent(layer)
    weight = quantize_weight(layer.weight, numerics.bits, exponent)
    bias = layer.bias
    if bias is not None:
        bias = quantize_weight(bias, numerics.bits, exponent, numerics.bias_bits)
    shift = output_shift(numerics.bits, exponent)
    return integer_layer(layer.spec, weight, bias, numerics.bits, shift, numerics.quantile)
