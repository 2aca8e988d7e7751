"""What an operation adds to a layer's registers, and how its kernels lie in kernel memory."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from maxexp.network.sizes import Size
from maxexp.synthesis.native.placed_layer import PlacedLayer
from maxexp.synthesis.native.registers import Register

KERNEL_UNIT = 8
"""Kernels and passes are counted in eighths; a kernel of ``b`` bits takes ``b`` of them."""


class NativeOperation(ABC):
    """One operation in the terms of the registers; a module of ``operations`` defines it as ``OPERATION``."""

    def in_size(self, x: PlacedLayer) -> Size:
        """Rows and columns of the input, padding not counted."""
        return x.layer.in_shape[1:]

    @abstractmethod
    def common(self, x: PlacedLayer) -> dict[Register, int]:
        """Bits that are the same in every quadrant; fields that all operations have are added by the caller."""

    @abstractmethod
    def own(self, x: PlacedLayer, quadrant: int) -> dict[Register, int]:
        """Bits that a quadrant has for itself."""

    @abstractmethod
    def kernels(self, x: PlacedLayer, weight: NDArray[np.int8]) -> NDArray[np.int8]:
        """Kernels in the order in which the accelerator uses them.

        Args:
            weight: int8, of the layer's ``weight_shape``.

        Returns:
            int8 (processors of the input, kernels, elements).
        """
