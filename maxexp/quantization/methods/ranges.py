"""How well the numbers of a quantized network use their range, and how many of them saturate."""

import torch
from torch import Tensor

from maxexp.network.module import LayerModule, NetworkModule, activate
from maxexp.quantization.methods.layer_range import BINS, REACH, LayerRange, Range
from maxexp.quantization.simulate.fake import HIGHEST, LOWEST, QuantizedNumerics, quantized_numerics


@torch.no_grad()
def layer_ranges(module: NetworkModule, inputs: Tensor) -> list[LayerRange]:
    """Returns the weights of every layer of a module with quantized numerics, and its outputs for some images.

    Args:
        inputs: float32 (N, C, H, W) as the module takes them; a few hundred are enough.
    """
    layers = [layer for layer in module.layers() if layer.op is not None]
    before = [layer.numerics for layer in layers]
    observers = [_Observer.of(layer) for layer in layers]
    module.eval()
    try:
        for layer, observer in zip(layers, observers, strict=True):
            layer.numerics = observer
        module(inputs)
    finally:
        for layer, numerics in zip(layers, before, strict=True):
            layer.numerics = numerics
    return [
        LayerRange(layer.spec.name, observer.bits, _weights(layer), observer.outputs)
        for layer, observer in zip(layers, observers, strict=True)
    ]


class _Observer(QuantizedNumerics):
    """Quantized numerics that remember what their output was before it was put on the grid."""

    outputs: Range | None = None

    @classmethod
    def of(cls, layer: LayerModule) -> "_Observer":
        numerics = quantized_numerics(layer)
        return cls(numerics.bits, numerics.bias_bits, numerics.quantile)

    def operation(self, layer: LayerModule, x: Tensor) -> Tensor:
        if not layer.spec.wide:
            y = activate(self.accumulated(layer, x), layer.spec.activation)
            self.outputs = _range(y, LOWEST, HIGHEST)
        return super().operation(layer, x)


def _weights(layer: LayerModule) -> Range:
    numerics = quantized_numerics(layer)
    half = 2 ** (numerics.bits - 1)
    full_scale = half * 2.0 ** (1 - numerics.bits - numerics.exponent(layer))
    return _range(layer.weight / full_scale, -1.0, (half - 1) / half)


def _range(values: Tensor, low: float, high: float) -> Range:
    """Returns the histogram of ``values`` on a grid from ``low`` to ``high``, both codes; -1 is the lowest in all
    formats."""
    values = values.float().flatten()
    half_step = (1.0 - high) / 2
    clipped = (values < low - half_step) | (values >= high + half_step)
    counts = torch.histc(values.clamp(-REACH, REACH), BINS, -REACH, REACH)
    return Range(tuple(int(count) for count in counts), float(clipped.double().mean()))
