"""Placement of kernels in the weight memory: which columns each layer uses on the processors of its input.

A layer's kernels occupy the same columns on every processor that holds one of its input channels, so a
network whose bytes fit may still have no room (docs/hardware.md, Kernel memory, 8.4).
"""

from math import ceil

from maxexp.base.errors import DeviceError
from maxexp.chip.memory.excess import Excess
from maxexp.chip.part import Part
from maxexp.network.graph import Network

COLUMN_ALIGNMENT = 4


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
    """Refuses what no placement can hold: a layer alone, all-processor layers together, or the whole."""
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
