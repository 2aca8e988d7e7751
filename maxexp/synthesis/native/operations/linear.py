"""Fully connected layers in the terms of the registers: 1x1 convolutions of one pixel."""

import numpy as np
from numpy.typing import NDArray

from maxexp.chip.operations.linear import FLATTEN_ENGINE_WORDS
from maxexp.network.sizes import Size
from maxexp.synthesis.native.convolution import Convolution
from maxexp.synthesis.native.placed_layer import PlacedLayer

FLATTEN_ENGINE = 1 << 27


class Linear(Convolution):
    """A map is flattened by taking its pixels for passes of one pixel."""

    def in_size(self, x: PlacedLayer) -> Size:
        return (1, 1) if x.layer.flatten else x.layer.in_shape[1:]

    def kernel_size(self, x: PlacedLayer) -> Size:
        return 1, 1

    def words(self, x: PlacedLayer) -> int:
        _, rows, cols = x.layer.in_shape
        return x.passes * rows * cols

    def line_buffer(self, x: PlacedLayer) -> int:
        last = self.words(x) - 1
        return last << 16 | 2 * last + 1 if self._engine(x) else 0

    def flatten(self, x: PlacedLayer) -> int:
        """The engine counts in 8 bits, of which the upper four are here."""
        return FLATTEN_ENGINE | (self.words(x) - 1) >> 4 << 18 if self._engine(x) else 0

    def kernels(self, x: PlacedLayer, weight: NDArray[np.int8]) -> NDArray[np.int8]:
        channels, rows, cols = x.layer.in_shape
        if not x.layer.flatten:
            return super().kernels(x, weight)
        # Its channels fill their passes evenly; of a pixel all passes follow one another.
        parts = weight.reshape(len(weight), x.passes, len(x.in_processors), rows * cols)
        return parts.transpose(2, 0, 3, 1).reshape(len(x.in_processors), -1, 1)

    def _engine(self, x: PlacedLayer) -> bool:
        return x.layer.flatten and self.words(x) > FLATTEN_ENGINE_WORDS


OPERATION = Linear()
