"""Kernels as the columns of kernel memory (docs/hardware.md, Kernel memory)."""

import numpy as np
from numpy.typing import NDArray

from maxexp.synthesis.native.operations import NATIVE_OPERATIONS
from maxexp.synthesis.native.placed_layer import PlacedLayer


def kernel_columns(x: PlacedLayer, weight: NDArray[np.int8]) -> NDArray[np.uint8]:
    """The columns that a layer fills on each processor of its input.

    A column's bytes are used from the last to the first, and so are a kernel's elements. Below 8 bits consecutive
    kernels share their bytes, the first in the lowest bits.

    Args:
        weight: int8, of the layer's ``weight_shape``.

    Returns:
        uint8 (processors, columns, bytes).
    """
    kernels = NATIVE_OPERATIONS[x.layer.op].kernels(x, weight)
    processors, count, elements = kernels.shape
    shared, width = 8 // x.bits, x.part.memories.column_bytes
    padded = np.pad(kernels, ((0, 0), (0, -count % shared), (0, 0))).reshape(processors, -1, shared, elements)
    packed = np.zeros(padded[:, :, 0].shape, np.uint8)
    for position in range(shared):
        packed |= (padded[:, :, position].view(np.uint8) & (1 << x.bits) - 1) << (position * x.bits)
    stream = packed[..., ::-1].reshape(processors, -1)
    # The columns that were looked for may hold more: outputs that the last pass lacks are zeros.
    whole = np.zeros((processors, x.memory.kernel_columns[x.layer.name] * width), np.uint8)
    whole[:, : stream.shape[1]] = stream
    return whole.reshape(processors, -1, width)[..., ::-1]
