"""Layers without an operation in the terms of the registers: sums, pooling and copies."""

import numpy as np
from numpy.typing import NDArray

from maxexp.chip.part import WORD_BYTES
from maxexp.network.sizes import Size
from maxexp.synthesis.native.operation import KERNEL_UNIT, NativeOperation
from maxexp.synthesis.native.placed_layer import PlacedLayer
from maxexp.synthesis.native.registers import Register

COPY, SUM = 3 << 24, 1 << 24


class Passthrough(NativeOperation):
    """Each quadrant writes its own channels, several words of them in as many time slots."""

    def in_size(self, x: PlacedLayer) -> Size:
        _, rows, cols = x.layer.in_shape
        return rows * (x.passes if self._passes_are_rows(x) else 1), cols

    def common(self, x: PlacedLayer) -> dict[Register, int]:
        step, lanes = x.part.addresses.data_step // WORD_BYTES, x.part.processors.per_instance
        alone = x.layer.operands == 1
        last_pass = 0 if self._passes_are_rows(x) else x.passes - 1
        return {
            Register.KERNEL_FORM: (1 << 8 if alone else 0) | self._slots(x) - 1,
            Register.WRITE_SLOT_STEP: step if len(x.in_processors) > lanes else step // lanes,
            Register.WRITE_PASS_STEP: x.gap + 1 if x.passes > 1 else 0,
            Register.KERNEL_RANGE: KERNEL_UNIT * last_pass,
            Register.POST_PROCESSING: COPY if alone else SUM,
            Register.OUTPUT_STEPS: x.gap << 4 | last_pass,
        }

    def own(self, x: PlacedLayer, quadrant: int) -> dict[Register, int]:
        each = x.part.processors.per_quadrant
        read = x.in_quadrant(x.in_processors, quadrant)
        written = x.in_quadrant(x.out_processors, quadrant)
        instance = written.start // x.part.processors.per_instance if written else 0
        return {
            Register.WRITE_START: x.write_word | instance << 13,
            Register.PROCESSORS: sum(1 << p % each for p in read),
        }

    def kernels(self, x: PlacedLayer, weight: NDArray[np.int8]) -> NDArray[np.int8]:
        raise AssertionError("a layer without an operation has no weights")

    def _passes_are_rows(self, x: PlacedLayer) -> bool:
        """Tells whether passes of a sum count as rows; for two operands in two passes, both counters suffice."""
        return x.layer.operands > 1 and x.passes > 1 and (x.layer.operands, x.passes) != (2, 2)

    def _slots(self, x: PlacedLayer) -> int:
        """Words that the busiest quadrant writes for each pixel and pass."""
        most = max(len(x.in_quadrant(x.in_processors, quadrant)) for quadrant in x.quadrants)
        return -(-most // x.part.processors.per_instance)


OPERATION = Passthrough()
