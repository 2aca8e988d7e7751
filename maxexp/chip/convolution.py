"""What all convolutions on the accelerator have in common; fully connected layers are convolutions, too."""

from math import ceil, prod

from maxexp.chip.operation import ChipOperation, refuse
from maxexp.chip.part import Part
from maxexp.network.layer import Layer
from maxexp.network.sizes import Size, dimensions


class Convolution(ChipOperation):
    """A convolution whose kernels are as the description has them."""

    def check(self, layer: Layer, part: Part) -> None:
        most = part.limits.padding
        if any(pad > min(most, side - 1) for pad, side in zip(layer.padding, layer.kernel_size, strict=True)):
            padding, kernel = self.shown(layer.padding), self.shown(layer.kernel_size)
            refuse(
                layer,
                f"padding {padding} of a kernel of {kernel}; {part.name} pads by at most {most}, and by less than "
                "the kernel's size; set padding",
            )

    def shown(self, size: Size) -> str:
        """A size as the description gives it."""
        return dimensions(size)

    def kernel_size(self, layer: Layer) -> Size:
        """Rows and columns of a kernel in kernel memory."""
        return layer.kernel_size

    def slots(self, layer: Layer, part: Part) -> int:
        """Returns the time slots of one output pixel: channels, rounded up to whole passes (docs/hardware.md,
        Latency)."""
        channels, passes = layer.out_shape[0], part.processors.passes(layer.out_shape[0])
        return channels if passes == 1 else passes * part.processors.used(channels)

    def kernels(self, layer: Layer, part: Part) -> int:
        """Kernels on each processor of the input."""
        return self.slots(layer, part) * part.processors.passes(layer.in_shape[0])

    def columns(self, layer: Layer, bits: int, part: Part) -> int:
        """Returns the kernel columns with masks aligned to 4 (docs/hardware.md, Kernel memory)."""
        kernels, per_byte, size = self.kernels(layer, part), 8 // bits, prod(self.kernel_size(layer))
        padding = (kernels % per_byte) * size * (per_byte - 1)
        return ceil((kernels * size * bits + padding) / (8 * part.memories.column_bytes))

    def written_columns(self, layer: Layer, bits: int, part: Part) -> int:
        """Returns the below 8 bits the outputs of each pass begin a byte of their own, and so do the kernels of each
        input pass: zeros follow the last."""
        passes, per_byte = part.processors.passes(layer.out_shape[0]), 8 // bits
        shared = passes * ceil(self.slots(layer, part) / passes / per_byte)
        kernel_bytes = shared * part.processors.passes(layer.in_shape[0]) * prod(self.kernel_size(layer))
        return max(self.columns(layer, bits, part), ceil(kernel_bytes / part.memories.column_bytes))

    def cycles(self, layer: Layer, part: Part, kernel_offset: int, first_processor: int) -> int:
        """Returns the cycles (docs/hardware.md, Latency).

        The offset of the kernels counts only where operands are combined before pooling.
        """
        passes, slots = part.processors.passes(layer.in_shape[0]), self.slots(layer, part)
        _, rows, cols = layer.pooled_shape
        out_cols = cols + 2 * layer.padding[1] - self.kernel_size(layer)[1] + 1
        (high, wide), (top, left) = self.kernel_size(layer), layer.padding
        area = prod(layer.pool_size)
        combine_first = layer.operands > 1 and layer.pool is not None
        if combine_first:
            pad_words, data_words, repeat = 2 * passes, passes * (layer.operands * area + 1), passes
        else:
            pad_words, repeat = 2 * passes * layer.operands, 1
            data_words = passes * layer.operands * (area + 1)
        margin = 2 * left * (pad_words + 1)
        first_pad_row = margin + repeat * cols * (pad_words + 1)
        row_without_output = margin + repeat * cols * (data_words + 1)
        edges = left * (pad_words + 1) + left * pad_words
        before, behind = repeat * (wide - 1 - left), repeat * (out_cols - left)
        row = edges + before * (data_words + 1) + behind * data_words
        pad_row = edges + before * (pad_words + 1) + behind * pad_words
        output = passes * out_cols * slots + (slots if slots == passes == 1 else 0)
        return (
            (self._prefetch_cycles(layer, kernel_offset) if combine_first else 0)
            + top * first_pad_row
            + (high - 1 - top) * row_without_output
            + (row + output) * (rows - (high - 1 - top))
            + top * (pad_row + output)
        )

    def _prefetch_cycles(self, layer: Layer, kernel_offset: int) -> int:
        """Cycles before the convolution of a pooled sum (``pre`` of docs/hardware.md, Latency)."""
        (_, rows, cols), (high, wide), (top, left) = layer.pooled_shape, self.kernel_size(layer), layer.padding
        return ((rows + 2 * top - wide + 1) * left + (cols + 2 * left - high + 1) * top - top * left) * kernel_offset
