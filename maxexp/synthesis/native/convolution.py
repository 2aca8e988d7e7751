"""Registers and kernels that all convolutions have in common; fully connected layers are convolutions, too."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from maxexp.chip.operations import CHIP_OPERATIONS
from maxexp.chip.part import WORD_BYTES
from maxexp.network.sizes import Size
from maxexp.synthesis.native.operation import KERNEL_UNIT, NativeOperation
from maxexp.synthesis.native.placed_layer import PlacedLayer
from maxexp.synthesis.native.registers import Register

BIT_CODES = {8: 0, 1: 1, 2: 2, 4: 3}
BEHIND_SUM = 1 << 17
ENABLE_BIAS = 1 << 12
SHIFT_RIGHT = 1 << 17


class Convolution(NativeOperation):
    """A convolution whose kernels are as the description has them."""

    def kernel_size(self, x: PlacedLayer) -> Size:
        """Rows and columns of a kernel in kernel memory."""
        return x.layer.kernel_size

    def words(self, x: PlacedLayer) -> int:
        """Words of the input that one output pixel reads at each position of the kernel."""
        return x.passes

    def kernel_form(self, x: PlacedLayer) -> int:
        """Returns the length of the kernel as its register has it; 0 for 3x3."""
        return int(self.kernel_size(x) == (1, 1)) << 8

    def slot_step(self, x: PlacedLayer) -> int:
        """Returns the step of the write pointer from one time slot to the next."""
        return int(self.kernel_size(x) == (1, 1))

    def line_buffer(self, x: PlacedLayer) -> int:
        """Returns the last entry of the buffer that keeps rows of the input for kernels of several rows."""
        cols, padding, wide = x.layer.pooled_shape[2], x.layer.padding[1], self.kernel_size(x)[1]
        return cols + 2 * padding - wide if wide > 1 else 0

    def flatten(self, x: PlacedLayer) -> int:
        """Bits of the flatten engine in POST_PROCESSING."""
        return 0

    def common(self, x: PlacedLayer) -> dict[Register, int]:
        layer, positions = x.layer, len(x.out_processors)
        first, byte = self._kernel_start(x)
        last = first + self._kernels(x) * x.bits - x.bits
        words = WORD_BYTES if layer.wide else 1
        return {
            Register.KERNEL_FORM: self.kernel_form(x) | byte << 4 | (BEHIND_SUM if layer.operands > 1 else 0),
            Register.WRITE_START: x.write_word | self._out_instance(x) << 13,
            Register.WRITE_SLOT_STEP: self.slot_step(x),
            Register.WRITE_INSTANCE_STEP: x.part.addresses.data_step // WORD_BYTES,
            Register.WRITE_PASS_STEP: words * (x.gap + 1) if x.out_passes > 1 else 0,
            Register.KERNEL_RANGE: first << 16 | last,
            Register.LINE_BUFFER: self.line_buffer(x),
            Register.POST_PROCESSING: abs(x.shift) << 13
            | (SHIFT_RIGHT if x.shift < 0 else 0)
            | BIT_CODES[x.bits] << 22
            | self.flatten(x),
            Register.OUTPUT_STEPS: (positions - 1) * x.bits << 8
            | (x.out_passes * (x.gap + 1) - 1) << 4
            | (self.words(x) - 1) & 0xF,
        }

    def own(self, x: PlacedLayer, quadrant: int) -> dict[Register, int]:
        mask = sum(1 << p % x.part.processors.per_quadrant for p in x.in_quadrant(x.in_processors, quadrant))
        registers = {Register.PROCESSORS: mask << 16 | mask}
        if x.bias and x.bias.group == quadrant:
            registers[Register.POST_PROCESSING] = ENABLE_BIAS | x.bias.offset
        if quadrant == x.quadrants[0]:
            registers[Register.LAYER_CONTROL] = self._listened(x) << 12
        return registers

    def kernels(self, x: PlacedLayer, weight: NDArray[np.int8]) -> NDArray[np.int8]:
        outputs, inputs = weight.shape[:2]
        elements, processors = prod(self.kernel_size(x)), len(x.in_processors)
        slots = self._kernels(x) // self.words(x)
        # Channels are dealt out to passes in order, so those that the last pass lacks are at the end.
        whole = np.zeros((slots, x.passes * processors, elements), np.int8)
        whole[:outputs, :inputs] = weight.reshape(outputs, inputs, -1)
        dealt_out = whole.reshape(slots, x.passes, processors, elements)
        return dealt_out.transpose(2, 0, 1, 3).reshape(processors, -1, elements)

    def _kernels(self, x: PlacedLayer) -> int:
        """Kernels on each processor."""
        kernels: int = CHIP_OPERATIONS[x.layer.op].kernels(x.layer, x.part)  # type: ignore[attr-defined]
        return kernels

    def _kernel_start(self, x: PlacedLayer) -> tuple[int, int]:
        """Returns the first kernel, counted from column 0 in kernels of this size, and the bytes that are left
        over."""
        kernel, byte = divmod(x.part.memories.column_bytes * x.column, prod(self.kernel_size(x)))
        return KERNEL_UNIT * kernel, byte

    def _out_instance(self, x: PlacedLayer) -> int:
        return x.out_processors.start // x.part.processors.per_instance

    def _listened(self, x: PlacedLayer) -> int:
        """Quadrants whose sums the first one adds to its own: those with input, and that with the biases."""
        each = x.part.processors.per_quadrant
        found = {p // each for p in x.in_processors} | ({x.bias.group} if x.bias else set())
        return sum(1 << quadrant for quadrant in found - {x.quadrants[0]})
