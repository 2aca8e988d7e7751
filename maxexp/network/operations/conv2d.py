"""Convolution of maps, with stride 1."""

from maxexp.network.config import LayerConfig
from maxexp.network.operation import Geometry, Operation, convolved, size_key
from maxexp.network.sizes import Shape


class Conv2d(Operation):
    """Cross-correlation with zero padding; weights (out, in, height, width)."""

    outputs = "out_channels"
    keys = frozenset({"in_size", "kernel_size", "padding", "batchnorm", "dropout", "wide"})

    def geometry(self, name: str, entry: LayerConfig, in_shape: Shape, outputs: int) -> Geometry:
        channels, rows, cols = in_shape
        high, wide = size_key(name, entry, "kernel_size", 1)
        top, left = (high - 1) // 2, (wide - 1) // 2
        if entry.padding is not None:
            top, left = size_key(name, entry, "padding", 0)
        return Geometry(
            out_shape=(outputs, convolved(rows, high, top), convolved(cols, wide, left)),
            weight_shape=(outputs, channels, high, wide),
            kernel_size=(high, wide),
            padding=(top, left),
        )


OPERATION = Conv2d()
