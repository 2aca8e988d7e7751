"""Placement of kernels in the weight memory: which columns each layer uses on the processors of its input.

A layer's kernels occupy the same columns on every processor that holds one of its input channels, so a
network whose bytes fit may still have no room (hardware.md 8.2, 8.4).
"""

from math import ceil

from maxexp.base.errors import DeviceError
from maxexp.chip.cycles import output_slots
from maxexp.chip.memory.excess import Excess
from maxexp.chip.part import Part
from maxexp.network.graph import Layer, Network

COLUMN_ALIGNMENT = 4


def kernel_columns(layer: Layer, bits: int, part: Part) -> int:
    """Columns of 72 bits on each processor of the layer's input (hardware.md 8.4), masks 4-aligned."""
    if not layer.has_weights:
        return 0
    pixels = layer.pooled_shape[1] * layer.pooled_shape[2] if layer.flatten else 1
    kernels = output_slots(layer, part) * part.processors.passes(layer.in_shape[0]) * pixels
    per_byte = 8 // bits
    size = layer.kernel_size**2
    padding = (kernels % per_byte) * size * (per_byte - 1)
    return ceil((kernels * size * bits + padding) / (8 * part.memories.column_bytes))


def written_columns(layer: Layer, bits: int, part: Part) -> int:
    """Columns that the synthesizer really fills, at times one more than it looks for.

    Of a flattening layer with several output passes it also writes the outputs that the last pass lacks, one byte
    each, if weights have 8 bits.
    """
    columns = kernel_columns(layer, bits, part)
    passes = part.processors.passes(layer.out_shape[0])
    if not layer.flatten or passes == 1 or bits < 8:
        return columns
    missing = passes * part.processors.used(layer.out_shape[0]) - layer.out_shape[0]
    pixels = layer.pooled_shape[1] * layer.pooled_shape[2]
    weights = layer.out_shape[0] * part.processors.passes(layer.in_shape[0]) * pixels
    return max(columns, ceil((weights + missing) * bits / (8 * part.memories.column_bytes)))


def aligned(columns: int) -> int:
    """Columns up to where the next layer's kernels can begin."""
    return COLUMN_ALIGNMENT * ceil(columns / COLUMN_ALIGNMENT)


def first_fit(
    network: Network,
    first_processor: dict[str, int],
    columns: dict[str, int],
    written: dict[str, int],
    part: Part,
) -> dict[str, int] | Excess:
    """Offsets by layer as the synthesizer allocates them, or the first layer that does not fit.

    Args:
        first_processor: by tensor name.
        columns: by layer name, those that it looks for.
        written: by layer name, those that it fills.
    """
    spans = {}
    for layer in network:
        start = first_processor[layer.inputs[0]]
        spans[layer.name] = range(start, start + part.processors.used(layer.in_shape[0]))
    whole = [x for x in network if len(spans[x.name]) == part.processors.count]
    order = whole + [x for x in network if len(spans[x.name]) < part.processors.count]
    taken: list[list[tuple[int, int]]] = [[] for _ in range(part.processors.count)]
    offsets: dict[str, int] = {}
    for layer in order:
        need = columns[layer.name]
        if need == 0:
            continue
        blocks = sorted({block for p in spans[layer.name] for block in taken[p]})
        offset = 0
        for begin, end in blocks:
            if offset + need > begin and offset < end:
                offset = aligned(end)
        stop = offset + written[layer.name]
        if stop > part.memories.kernel_columns or any(begin < stop and offset < end for begin, end in blocks):
            return Excess(layer.name, max(1, stop - part.memories.kernel_columns))
        offsets[layer.name] = offset
        for p in spans[layer.name]:
            taken[p].append((offset, stop))
    return offsets


def check_totals(network: Network, columns: dict[str, int], part: Part) -> None:
    """Refuse what no placement can hold: a layer alone, all-processor layers together, or the whole."""
    memories, everywhere, area = part.memories, 0, 0
    for layer in network:
        need = columns[layer.name]
        used = part.processors.used(layer.in_shape[0])
        area += need * used
        everywhere += aligned(need) if used == part.processors.count else 0
        over = max(everywhere, need) - memories.kernel_columns
        if over > 0:
            size = over * memories.column_bytes * used
            raise DeviceError(
                f"layer {layer.name}: its kernels need {over} columns ({size:,} bytes) "
                f"more than the {memories.kernel_columns} columns of {part.name}'s processors; reduce its channels, "
                "model.width or its quantization bits"
            )
    over = area - memories.kernel_columns * part.processors.count
    if over > 0:
        heaviest = max(network, key=lambda x: columns[x.name] * part.processors.used(x.in_shape[0]))
        raise DeviceError(
            f"{network.name}: its kernels need {over * memories.column_bytes:,} bytes more than {part.name}'s weight "
            f"memory; the largest layer is {heaviest.name}; reduce its channels, model.width or its quantization bits"
        )
