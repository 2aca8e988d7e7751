"""Convolution of signals, with stride 1."""

from maxexp.network.config import LayerConfig
from maxexp.network.operation import Geometry, Operation, convolved, refuse
from maxexp.network.sizes import Shape


class Conv1d(Operation):
    """Cross-correlation along a signal (channels, length, 1) with zero padding; weights (out, in, length)."""

    outputs = "out_channels"
    keys = frozenset({"in_size", "kernel_size", "padding", "dilation", "batchnorm", "dropout", "wide"})

    def geometry(self, name: str, entry: LayerConfig, in_shape: Shape, outputs: int) -> Geometry:
        channels, length, cols = in_shape
        if cols != 1:
            refuse(name, f": op conv1d reads signals, maps of one column; its input has {cols}")
        kernel = _length(name, entry, "kernel_size", 1)
        dilation = _length(name, entry, "dilation", 1)
        reach = dilation * (kernel - 1)
        padding = reach // 2 if entry.padding is None else _length(name, entry, "padding", 0)
        return Geometry(
            out_shape=(outputs, convolved(length, kernel, padding, dilation), 1),
            weight_shape=(outputs, channels, kernel),
            kernel_size=(kernel, 1),
            padding=(padding, 0),
            dilation=(dilation, 1),
        )


def _length(name: str, entry: LayerConfig, key: str, least: int) -> int:
    value = getattr(entry, key)
    if not isinstance(value, int) or isinstance(value, bool):
        refuse(name, f".{key}={value}: must be a whole number for op conv1d")
    if value < least:
        refuse(name, f".{key}={value}: must be at least {least}")
    return value


OPERATION = Conv1d()
