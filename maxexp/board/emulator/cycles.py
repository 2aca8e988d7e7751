"""Clock cycles of a layer by the maker's formula, from what its registers say (docs/hardware.md, Latency)."""

from maxexp.base.errors import BoardError
from maxexp.board.emulator.layer_settings import LayerSettings, Operation

STARTUP_CYCLES = 1
"""Cycles before the first layer."""


def layer_cycles(x: LayerSettings, source: LayerSettings | None) -> int:
    """Cycles of one layer.

    Args:
        source: the layer that wrote its input; None if none did.

    Raises:
        BoardError: they depend on what no register holds.
    """
    if x.operation is Operation.none:
        return _passthrough_cycles(x)
    area = x.pool[0] * x.pool[1]
    if x.pool_first:
        repeat = 1
        pad_words, data_words = 2 * x.passes * x.operands, x.passes * x.operands * (area + 1)
        prefetch = 0
    else:
        repeat = x.passes
        pad_words, data_words = 2 * x.passes, x.passes * (x.operands * area + 1)
        prefetch = _prefetch_cycles(x)
    (rows, cols), (_, out_cols) = x.pooled, x.out_size
    (high, wide), (top, left) = x.kernel, x.padding
    slots = x.kernels // x.passes

    margin = 2 * left * (pad_words + 1)
    first_pad_row = margin + repeat * cols * (pad_words + 1)
    row_without_output = margin + repeat * cols * (data_words + 1)
    edges = left * (pad_words + 1) + left * pad_words
    before, behind = wide - 1 - left, out_cols - left
    row = edges + repeat * (before * (data_words + 1) + behind * data_words)
    pad_row = edges + repeat * (before * (pad_words + 1) + behind * pad_words)
    output = x.passes * out_cols * slots + (slots == x.passes == 1)
    return (
        x.flatten_engine
        + _single_output_cycles(x, source)
        + prefetch
        + top * first_pad_row
        + (high - 1 - top) * row_without_output
        + (row + output) * (rows - (high - 1 - top))
        + top * (pad_row + output)
    )


def _single_output_cycles(x: LayerSettings, source: LayerSettings | None) -> int:
    """Cycles that a layer with a single output takes more where it flattens: one for each row of the map.

    For the layer's registers the words of a map are passes of one pixel; they do not say its rows. The layer that
    wrote the map does, and also whether its pixels have several words: then there are no such cycles.
    """
    one_pixel = x.kernel == (x.rows, x.cols) == (1, 1)
    if x.kernels != x.passes or x.passes == 1 or not one_pixel:
        return 0
    if source is None:
        raise BoardError(
            "emulator: a layer reads several words of the network's input for its single output; the cycles depend "
            "on the rows that these are, which no register holds"
        )
    return 0 if source.pass_step else source.out_size[0]


def _prefetch_cycles(x: LayerSettings) -> int:
    """Cycles before the convolution of a pooled combination."""
    (rows, cols), (top, left) = x.pooled, x.padding
    reads = (rows + 2 * top - x.kernel[1] + 1) * left + (cols + 2 * left - x.kernel[0] + 1) * top - top * left
    return reads * x.column


def _passthrough_cycles(x: LayerSettings) -> int:
    pooled = x.pool != (1, 1)
    passes = 2 * x.passes - 1 if x.passes > 1 and pooled else x.passes
    area = x.pool[0] * x.pool[1]
    words = passes * x.operands * (area + 1) if x.pool_first else passes * (x.operands * area + 1)
    return x.pooled[0] * x.pooled[1] * (words + passes * x.timeslots)
