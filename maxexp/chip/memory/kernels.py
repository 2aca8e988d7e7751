"""Placement of kernels in the weight memory: which columns each layer uses on the processors of its input.

A layer's kernels occupy the same columns on every processor that holds one of its input channels, so a
network whose bytes fit may still have no room (hardware.md 8.2, 8.4).
"""

from math import ceil

from maxexp.base.errors import DeviceError
from maxexp.chip.config import DeviceConfig
from maxexp.chip.cycles import output_slots, processors_used
from maxexp.chip.memory.excess import Excess
from maxexp.network.graph import Layer, Network

COLUMN_BITS = 72
COLUMN_ALIGNMENT = 4


def kernel_columns(layer: Layer, bits: int, device: DeviceConfig) -> int:
    """Columns of 72 bits on each processor of the layer's input (hardware.md 8.4), masks 4-aligned."""
    if not layer.has_weights:
        return 0
    pixels = layer.pooled_shape[1] * layer.pooled_shape[2] if layer.flatten else 1
    kernels = output_slots(layer, device) * ceil(layer.in_shape[0] / device.processors) * pixels
    per_byte = 8 // bits
    size = layer.kernel_size**2
    padding = (kernels % per_byte) * size * (per_byte - 1)
    return ceil((kernels * size * bits + padding) / COLUMN_BITS)


def written_columns(layer: Layer, bits: int, device: DeviceConfig) -> int:
    """Columns that the synthesizer really fills, at times one more than it looks for.

    Of a flattening layer with several output passes it also writes the outputs that the last pass lacks, one byte
    each, if weights have 8 bits.
    """
    columns = kernel_columns(layer, bits, device)
    passes = ceil(layer.out_shape[0] / device.processors)
    if not layer.flatten or passes == 1 or bits < 8:
        return columns
    missing = passes * processors_used(layer.out_shape[0], device) - layer.out_shape[0]
    pixels = layer.pooled_shape[1] * layer.pooled_shape[2]
    weights = layer.out_shape[0] * ceil(layer.in_shape[0] / device.processors) * pixels
    return max(columns, ceil((weights + missing) * bits / COLUMN_BITS))


def aligned(columns: int) -> int:
    """Columns up to where the next layer's kernels can begin."""
    return COLUMN_ALIGNMENT * ceil(columns / COLUMN_ALIGNMENT)


def first_fit(
    network: Network,
    first_processor: dict[str, int],
    columns: dict[str, int],
    written: dict[str, int],
    device: DeviceConfig,
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
        spans[layer.name] = range(start, start + processors_used(layer.in_shape[0], device))
    whole = [x for x in network if len(spans[x.name]) == device.processors]
    order = whole + [x for x in network if len(spans[x.name]) < device.processors]
    taken: list[list[tuple[int, int]]] = [[] for _ in range(device.processors)]
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
        if stop > device.kernel_columns or any(begin < stop and offset < end for begin, end in blocks):
            return Excess(layer.name, max(1, stop - device.kernel_columns))
        offsets[layer.name] = offset
        for p in spans[layer.name]:
            taken[p].append((offset, stop))
    return offsets


def check_totals(network: Network, columns: dict[str, int], device: DeviceConfig) -> None:
    """Refuse what no placement can hold: a layer alone, all-processor layers together, or the whole."""
    everywhere = 0
    area = 0
    for layer in network:
        need = columns[layer.name]
        used = processors_used(layer.in_shape[0], device)
        area += need * used
        everywhere += aligned(need) if used == device.processors else 0
        if everywhere > device.kernel_columns or need > device.kernel_columns:
            over = max(everywhere, need) - device.kernel_columns
            raise DeviceError(
                f"layer {layer.name}: its kernels need {over} columns ({over * 9 * used:,} bytes) more than the "
                f"{device.kernel_columns} columns of {device.name}'s processors; reduce its channels, "
                "model.width or its quantization bits"
            )
    if area > device.kernel_columns * device.processors:
        over = 9 * (area - device.kernel_columns * device.processors)
        heaviest = max(network, key=lambda x: columns[x.name] * processors_used(x.in_shape[0], device))
        raise DeviceError(
            f"{network.name}: its kernels need {over:,} bytes more than {device.name}'s weight memory; the "
            f"largest layer is {heaviest.name}; reduce its channels, model.width or its quantization bits"
        )
