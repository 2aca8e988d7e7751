"""Clock cycles of a network on the accelerator, exact for networks without streaming (hardware.md 4.1)."""

from maxexp.chip.part import Part
from maxexp.network.config import Op
from maxexp.network.graph import Layer

STARTUP_CYCLES = 1
"""Cycles before the first layer."""

FLATTEN_ENGINE_PIXELS = 16
"""Words (pixels times passes) above which the hardware's flatten engine is used, at one extra cycle."""


def layer_cycles(layer: Layer, part: Part, kernel_offset: int = 0, first_processor: int = 0) -> int:
    """Cycles of one layer, its channels packed on processors aligned to 4 (hardware.md 4.1).

    Args:
        kernel_offset: first column of the layer's kernels; it counts only where operands are combined
            in front of a pooling (``pool_first: false``).
        first_processor: of the layer's input; it counts only without an operation, when each quadrant writes
            its own channels, so that more quadrants are faster.
    """
    passes = part.processors.passes(layer.in_shape[0])
    if layer.op is Op.passthrough:
        return _passthrough_cycles(layer, passes, part, first_processor)
    _, rows, cols = layer.pooled_shape
    out_cols = cols if layer.flatten else layer.out_shape[2]
    kernel, pad = layer.kernel_size, layer.padding
    slots = output_slots(layer, part)
    area = layer.pool_size**2
    combine_first = layer.operands > 1 and layer.pool is not None
    if combine_first:
        pad_words, data_words, repeat = 2 * passes, passes * (layer.operands * area + 1), passes
    else:
        pad_words, repeat = 2 * passes * layer.operands, 1
        data_words = passes * layer.operands * (area + 1)
    flat = 1 if layer.flatten and passes * rows * cols > FLATTEN_ENGINE_PIXELS else 0
    prefetch = _prefetch_cycles(layer, kernel_offset) if combine_first else 0

    margin = 2 * pad * (pad_words + 1)
    first_pad_row = margin + repeat * cols * (pad_words + 1)
    row_without_output = margin + repeat * cols * (data_words + 1)
    row = _row_cycles(pad, kernel, out_cols, pad_words, data_words, repeat)
    pad_row = _row_cycles(pad, kernel, out_cols, pad_words, pad_words, repeat)
    output = passes * out_cols * slots + (slots if slots == 1 and passes == 1 else 0)
    return (
        flat
        + prefetch
        + pad * first_pad_row
        + (kernel - 1 - pad) * row_without_output
        + (row + output) * (rows - (kernel - 1 - pad))
        + pad * (pad_row + output)
    )


def output_slots(layer: Layer, part: Part) -> int:
    """Time slots that one output pixel takes: channels, rounded up to whole passes (hardware.md 4.1)."""
    channels = layer.out_shape[0]
    passes = part.processors.passes(channels)
    if passes == 1 or layer.flatten:
        return channels
    return passes * part.processors.used(channels)


def _row_cycles(pad: int, kernel: int, out_cols: int, pad_words: int, words: int, repeat: int) -> int:
    """Cycles of one row whose pixels take ``words`` each, without its output."""
    edges = pad * (pad_words + 1) + pad_words * pad
    return edges + repeat * (kernel - 1 - pad) * (words + 1) + repeat * (out_cols - pad) * words


def _prefetch_cycles(layer: Layer, kernel_offset: int) -> int:
    """Cycles before the convolution of a pooled sum (``pre`` of hardware.md 4.1)."""
    _, rows, cols = layer.pooled_shape
    pad, side = layer.padding, 2 * layer.padding - layer.kernel_size + 1
    return ((rows + side) * pad + (cols + side) * pad - pad * pad) * kernel_offset


def _passthrough_cycles(layer: Layer, passes: int, part: Part, first_processor: int) -> int:
    each = part.processors.per_quadrant
    stop = first_processor + part.processors.used(layer.in_shape[0])
    quadrants = range(0, part.processors.count, each)
    in_quadrant = max(min(stop, q + each) - max(first_processor, q) for q in quadrants)
    timeslots = (in_quadrant - 1) // part.processors.per_instance + 1
    if passes > 1 and layer.pool is not None:
        passes = 2 * passes - 1
    area = layer.pool_size**2
    if layer.operands > 1 and layer.pool is not None:
        words = passes * (layer.operands * area + 1)
    else:
        words = passes * layer.operands * (area + 1)
    return layer.pooled_shape[1] * layer.pooled_shape[2] * (words + passes * timeslots)
