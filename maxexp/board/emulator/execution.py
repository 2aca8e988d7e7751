"""One layer of the accelerator, computed as a whole in exact integers (docs/hardware.md, Order of a layer, 3.2)."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from maxexp.base.errors import BoardError
from maxexp.board.emulator.data_memory import DataMemory
from maxexp.board.emulator.kernel_memory import KernelMemory
from maxexp.board.emulator.layer_settings import Eltwise, LayerSettings, Operation

INT8_MIN, INT8_MAX = -128, 127
BIAS_FACTOR = 128


def run_layer(x: LayerSettings, data: DataMemory, kernels: KernelMemory, biases: NDArray[np.int8]) -> None:
    """Reads a layer's input from the data memories, computes it, writes its output there.

    Args:
        biases: int8 (quadrants, entries).

    Raises:
        BoardError: addresses beyond a memory, or kernels that were never loaded.
    """
    values = _combined(x, data.read(x))
    if x.operation is Operation.none:
        data.write_quadrants(x, values)
        return
    accumulator = _convolved(x, values, kernels)
    if x.bias is not None:
        accumulator += BIAS_FACTOR * _biases(x, biases, len(accumulator))[:, None, None]
    data.write_positions(x, accumulator if x.wide else _activated(x, accumulator))


def _combined(x: LayerSettings, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the pooling and element-wise operation, in the layer's order: (passes, processors, rows, cols)."""
    if x.pool_first:
        return _eltwise(x, _pooled(x, values))
    return _pooled(x, _eltwise(x, values))


def _pooled(x: LayerSettings, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the maximum, or average rounded toward zero, of each window; plain sub-sampling without a window."""
    if x.pool == (1, 1):
        return values[..., :: x.stride, :: x.stride]
    windows = sliding_window_view(values, x.pool, axis=(-2, -1))[..., :: x.stride, :: x.stride, :, :]
    if not x.average:
        return windows.max(axis=(-2, -1))
    total = windows.sum(axis=(-2, -1))
    return np.sign(total) * (np.abs(total) // (x.pool[0] * x.pool[1]))


def _eltwise(x: LayerSettings, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Operands combined from first to last, saturated once at the end."""
    first, *others = values
    for operand in others:
        if x.eltwise is Eltwise.add:
            first = first + operand
        elif x.eltwise is Eltwise.sub:
            first = first - operand
        elif x.eltwise is Eltwise.bitwise_or:
            first = first | operand
        else:
            first = first ^ operand
    return first.clip(INT8_MIN, INT8_MAX)


def _convolved(x: LayerSettings, values: NDArray[np.int64], kernels: KernelMemory) -> NDArray[np.int64]:
    """Accumulators (slots, rows, cols); float64 products and sums of such integers are exact."""
    elements = x.kernel[0] * x.kernel[1]
    slots = x.kernels // x.passes
    weight = kernels.kernels(x.processors, x.column, x.kernels, elements, x.weight_bits)
    # Kernels follow one another by output slot, then by pass.
    weight = weight.reshape(len(x.processors), slots, x.passes, elements).transpose(1, 2, 0, 3)
    (top, left), (rows, cols) = x.padding, x.out_size
    padded = np.pad(values.astype(np.float64), ((0, 0), (0, 0), (top, top), (left, left)))
    patches = sliding_window_view(padded, x.kernel, axis=(-2, -1)).transpose(0, 1, 4, 5, 2, 3)
    total = weight.reshape(slots, -1).astype(np.float64) @ patches.reshape(-1, rows * cols)
    return total.astype(np.int64).reshape(slots, rows, cols)


def _biases(x: LayerSettings, biases: NDArray[np.int8], slots: int) -> NDArray[np.int64]:
    """Biases of the output slots.

    Several output passes may end in slots without a channel, less than a word for each pass; those have no entries.
    """
    assert x.bias is not None
    quadrant, first = x.bias
    found = biases[quadrant, first : first + slots].astype(np.int64)
    unused = x.part.processors.per_instance * x.out_passes - 1 if x.out_passes > 1 else 0
    if len(found) < slots - unused:
        raise BoardError(
            f"emulator: a layer's biases end at {first + slots - 1}; there are {biases.shape[1]} entries"
        )
    return np.pad(found, (0, slots - len(found)))


def _activated(x: LayerSettings, accumulator: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the shift with rounding, saturation, then activation."""
    right = 7 - x.shift
    rounded = (accumulator + (1 << (right - 1))) >> right if right > 0 else accumulator << -right
    y = rounded.clip(INT8_MIN, INT8_MAX)
    if x.relu:
        y = y.clip(0)
    if x.absolute:
        y = np.abs(y).clip(None, INT8_MAX)
    return y
