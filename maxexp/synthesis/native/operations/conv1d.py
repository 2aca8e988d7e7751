"""Convolution of signals in the terms of the registers."""

import numpy as np
from numpy.typing import NDArray

from maxexp.network.sizes import Size
from maxexp.synthesis.native.convolution import Convolution
from maxexp.synthesis.native.placed_layer import PlacedLayer

SIGNAL = 1 << 12


class Conv1d(Convolution):
    """Kernels lie in kernel memory with their dilation, zeros between the weights."""

    def kernel_size(self, x: PlacedLayer) -> Size:
        return x.layer.dilation[0] * (x.layer.kernel_size[0] - 1) + 1, 1

    def kernel_form(self, x: PlacedLayer) -> int:
        return SIGNAL | self.kernel_size(x)[0] << 8

    def slot_step(self, x: PlacedLayer) -> int:
        return 0

    def kernels(self, x: PlacedLayer, weight: NDArray[np.int8]) -> NDArray[np.int8]:
        spread = np.zeros((*weight.shape[:2], self.kernel_size(x)[0]), np.int8)
        spread[..., :: x.layer.dilation[0]] = weight
        return super().kernels(x, spread)


OPERATION = Conv1d()
