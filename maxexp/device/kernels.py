"""Placement of kernels in the weight memory: which processors and columns each layer uses.

A layer's kernels occupy the same columns on every processor that holds one of its input channels, so a
network whose bytes fit may still have no room; the placement has to be searched (hardware.md 8.2, 8.4).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import ceil

from maxexp.device.config import DeviceConfig
from maxexp.device.cycles import output_slots, processors_used
from maxexp.errors import DeviceError
from maxexp.network.graph import INPUT, Layer, Network

COLUMN_BITS = 72
COLUMN_ALIGNMENT = 4
SEARCH_PLACEMENTS, SEARCH_STEPS = 1000, 20000
"""Complete and partial placements tried before giving up; real networks need one to a few."""


@dataclass(frozen=True)
class KernelMap:
    """Where a network's kernels are.

    Attributes:
        first_processor: by tensor name (a layer's output, or ``input``): the first processor that holds it.
        offset: by layer name: the first column of its kernels, on all processors of its input.
        columns: by layer name: how many columns they take.
    """

    first_processor: dict[str, int]
    offset: dict[str, int]
    columns: dict[str, int]


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


def place_kernels(network: Network, bits: dict[str, int], device: DeviceConfig) -> KernelMap:
    """Search processors for every tensor so that all kernels fit.

    Raises:
        DeviceError: the kernels cannot fit (proven by counting), or no placement was found.
    """
    columns = {layer.name: kernel_columns(layer, bits[layer.name], device) for layer in network}
    _check_totals(network, columns, device)
    groups = _tensor_groups(network, columns, device)
    placements = _placements(groups, [0] * device.processors, device, iter(range(SEARCH_STEPS)))
    for first_processor in islice(placements, SEARCH_PLACEMENTS):
        offset = _first_fit(network, first_processor, columns, device)
        if offset is not None:
            return KernelMap(first_processor, offset, columns)
    raise DeviceError(
        f"{network.name}: no placement of its kernels in the {device.kernel_columns} columns of "
        f"{device.name}'s processors was found; lower model.width, the channels of "
        f"{max(network, key=lambda x: x.weights).name}, or its quantization bits"
    )


@dataclass(frozen=True)
class _TensorGroup:
    """Tensors on the same processors: how many those are, and the columns that their readers need there."""

    tensors: list[str]
    processors: int
    columns: int


def _tensor_groups(network: Network, columns: dict[str, int], device: DeviceConfig) -> list[_TensorGroup]:
    """The heaviest groups first, for they have the fewest places."""
    groups = []
    for tensors in network.tied_tensors:
        used = processors_used(_channels(network, tensors[0]), device)
        readers = [layer for layer in network if layer.inputs[0] in tensors]
        groups.append(_TensorGroup(tensors, used, sum(_aligned(columns[x.name]) for x in readers)))
    return sorted(groups, key=lambda group: -group.processors * group.columns)


def _placements(
    groups: list[_TensorGroup], load: list[int], device: DeviceConfig, steps: Iterator[int]
) -> Iterator[dict[str, int]]:
    """First processors by tensor, such that no processor has more columns than there are; until steps end."""
    if not groups:
        yield {}
        return
    group, *others = groups
    for start in _candidate_starts(group, load, device):
        if next(steps, None) is None:
            return
        span = range(start, start + group.processors)
        if max(load[p] for p in span) + group.columns > device.kernel_columns:
            continue
        deeper = [n + group.columns if p in span else n for p, n in enumerate(load)]
        for first_processor in _placements(others, deeper, device, steps):
            yield dict.fromkeys(group.tensors, start) | first_processor


def _aligned(columns: int) -> int:
    return COLUMN_ALIGNMENT * ceil(columns / COLUMN_ALIGNMENT)


def _channels(network: Network, tensor: str) -> int:
    return network.in_shape[0] if tensor == INPUT else network.by_name[tensor].out_shape[0]


def _candidate_starts(group: _TensorGroup, load: list[int], device: DeviceConfig) -> list[int]:
    """4-aligned first processors, least loaded first; the network's input stays where firmware loads it."""
    if INPUT in group.tensors:
        return [0]
    starts = range(0, device.processors - group.processors + 1, device.instance_processors)
    best_first = sorted(starts, key=lambda start: (max(load[start : start + group.processors]), start))
    # Where no kernel reads a tensor, as at the end of a network, one place is as good as another.
    return best_first if group.columns else best_first[:1]


def _first_fit(
    network: Network, first_processor: dict[str, int], columns: dict[str, int], device: DeviceConfig
) -> dict[str, int] | None:
    """Offsets by layer as the synthesizer allocates them; None where something does not fit."""
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
                offset = _aligned(end)
        if offset + need > device.kernel_columns:
            return None
        offsets[layer.name] = offset
        for p in spans[layer.name]:
            taken[p].append((offset, offset + need))
    return offsets


def _check_totals(network: Network, columns: dict[str, int], device: DeviceConfig) -> None:
    """Refuse what no placement can hold: a layer alone, all-processor layers together, or the whole."""
    everywhere = 0
    area = 0
    for layer in network:
        need = columns[layer.name]
        used = processors_used(layer.in_shape[0], device)
        area += need * used
        everywhere += _aligned(need) if used == device.processors else 0
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
