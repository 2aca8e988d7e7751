"""What one layer of the accelerator does, in the terms of the hardware."""

from dataclasses import dataclass
from enum import Enum

from maxexp.chip.part import Part


class Eltwise(Enum):
    """Element-wise operations by their code."""

    sub = 0
    add = 1
    bitwise_or = 2
    bitwise_xor = 3


class Operation(Enum):
    """What follows pooling and element-wise operation."""

    conv2d = "conv2d"
    conv1d = "conv1d"
    none = "none"


@dataclass(frozen=True)
class LayerSettings:
    """What one layer's registers say.

    Attributes:
        part: the chip.
        rows, cols: size of the input, without padding.
        padding: rows and columns of zeros at each side, of the convolution.
        pool: rows and columns of the pooling window, (1, 1) without pooling.
        stride: of the pooling, or of plain sub-sampling.
        average: average instead of maximum pooling.
        chw: each processor has a data memory of its own, four pixels to a word.
        operands: input tensors that are combined element by element.
        eltwise: how, if there are several.
        pool_first: operands are pooled before they are combined.
        operation: convolution or none.
        kernel: rows and columns of the kernel, (1, 1) where nothing is convolved.
        passes: words that an input pixel takes on each processor; for a flattened input all its pixels.
        flatten_engine: whether the hardware's flatten engine counts the passes.
        weight_bits: 1, 2, 4 or 8.
        column: first column of the kernels.
        kernels: kernels on each processor: output slots times passes.
        positions: output channels of one output pass, unused ones included; 0 without a convolution.
        out_passes: output channels are written in this many passes.
        pixel_step, pass_step: words from an output pixel, or pass, to the next.
        wide: outputs are raw 32-bit accumulators.
        relu, absolute: activation.
        shift: left shift of the accumulator, in units of 2^-7.
        bias: (quadrant, first entry) of the biases, if any.
        processors: processors that have input, counted from 0 over all quadrants.
        read_word: first word of the input in each data memory.
        write_word: first word of the output.
        write_instance: by quadrant: first data memory instance of the output.
        timeslots: words in which a quadrant hands its pixels through.
    """

    part: Part
    rows: int
    cols: int
    padding: tuple[int, int]
    pool: tuple[int, int]
    stride: int
    average: bool
    chw: bool
    operands: int
    eltwise: Eltwise | None
    pool_first: bool
    operation: Operation
    kernel: tuple[int, int]
    passes: int
    flatten_engine: bool
    weight_bits: int
    column: int
    kernels: int
    positions: int
    out_passes: int
    pixel_step: int
    pass_step: int
    wide: bool
    relu: bool
    absolute: bool
    shift: int
    bias: tuple[int, int] | None
    processors: list[int]
    read_word: int
    write_word: int
    write_instance: dict[int, int]
    timeslots: int

    @property
    def pooled(self) -> tuple[int, int]:
        """Rows and columns after pooling or sub-sampling."""
        return (self.rows - self.pool[0]) // self.stride + 1, (self.cols - self.pool[1]) // self.stride + 1

    @property
    def out_size(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        (rows, cols), (high, wide), (top, left) = self.pooled, self.kernel, self.padding
        return rows + 2 * top - high + 1, cols + 2 * left - wide + 1

    @property
    def source(self) -> tuple[int, int]:
        """Returns the data memory instance and word where the input begins."""
        return self.processors[0] // self.part.processors.per_instance, self.read_word

    @property
    def target(self) -> tuple[int, int]:
        """Returns the data memory instance and word where the output begins."""
        return self.write_instance[self.processors[0] // self.part.processors.per_quadrant], self.write_word
