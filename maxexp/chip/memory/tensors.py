"""Placement of tensors in data memory: which byte ranges of their instances they take, and when.

A tensor is stored in the instances of the processors that hold its channels, at the same range in each. Operands of a
sum are interleaved and therefore share one range. Two ranges may overlap only where they have no instance in
common or are not alive at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from maxexp.chip.part import WORD_BYTES, Part
from maxexp.network.graph import INPUT, Network
from maxexp.network.sizes import Shape

SEARCH_STEPS = 1000
"""Partial arrangements tried before giving up; real networks need as many as they have tensors."""


@dataclass(frozen=True)
class Block:
    """A byte range that tensors share, the same in each of their instances.

    Attributes:
        tensors: one, or the interleaved operands of a sum in their order.
        size: bytes in each instance.
        processors: how many hold the channels of a tensor.
        first: index of the layer that writes the first byte; -1 for the network's input.
        last: index of the last layer that reads one.
    """

    tensors: tuple[str, ...]
    size: int
    processors: int
    first: int
    last: int

    def alive(self, index: int) -> bool:
        return self.first <= index <= self.last


def tensor_bytes(shape: Shape, part: Part, wide: bool = False) -> tuple[int, int]:
    """Bytes that a (C, H, W) tensor takes in each data memory instance, and the number of instances."""
    channels, rows, cols = shape
    passes = part.processors.passes(channels)
    instances = ceil(part.processors.used(channels) / part.processors.per_instance)
    return WORD_BYTES * rows * cols * passes * (4 if wide else 1), instances


def tensor_shapes(network: Network) -> dict[str, Shape]:
    """Returns (C, H, W) by tensor name: the input and each layer's output."""
    return {INPUT: network.in_shape, **{layer.name: layer.out_shape for layer in network}}


def data_blocks(network: Network, part: Part) -> list[Block]:
    """The ranges that a hardware sequence needs, with their lifetimes, in the order in which they are written."""
    written = {INPUT: -1, **{layer.name: index for index, layer in enumerate(network)}}
    last_use = {**network.last_use, network.layers[-1].name: len(network.layers) - 1}
    wide = {layer.name for layer in network if layer.wide}
    shapes = tensor_shapes(network)
    # Several sums may read the same operands.
    sums = dict.fromkeys(layer.inputs for layer in network if layer.operands > 1)
    interleaved = {name for inputs in sums for name in inputs}
    blocks = []
    for tensors in [*sums, *((name,) for name in written if name not in interleaved)]:
        size, _ = tensor_bytes(shapes[tensors[0]], part, tensors[0] in wide)
        used = part.processors.used(shapes[tensors[0]][0])
        first, last = min(written[name] for name in tensors), max(last_use[name] for name in tensors)
        blocks.append(Block(tensors, size * len(tensors), used, first, last))
    return sorted(blocks, key=lambda block: block.first)


def instances_of(first_processor: int, processors: int, part: Part) -> range:
    """Returns the data memory instances of a contiguous range of processors."""
    each = part.processors.per_instance
    return range(first_processor // each, ceil((first_processor + processors) / each))


def place_blocks(blocks: Sequence[Block], instances: Sequence[range], limit: int) -> list[int] | None:
    """Returns the byte offsets such that no two blocks that meet in time and instance overlap.

    In any arrangement blocks can be pushed down, one after the other from the lowest, until each starts at 0 or on
    one that it meets. So the search builds up arrangements from below: it picks a next block and puts it on all
    placed ones that it meets. It is exhaustive up to its number of steps.

    Args:
        blocks: the network's input first; it gets offset 0, where firmware loads it.
        instances: the instances of each block.
        limit: bytes of an instance.

    Returns:
        Offsets in the order of ``blocks``, multiples of 4; None if there is no arrangement or none was found.
    """
    count = len(blocks)
    meets = [
        [
            a != b
            and blocks[a].first <= blocks[b].last
            and blocks[b].first <= blocks[a].last
            and instances[a].start < instances[b].stop
            and instances[b].start < instances[a].stop
            for b in range(count)
        ]
        for a in range(count)
    ]
    steps = iter(range(SEARCH_STEPS))

    def extend(offsets: dict[int, int], floor: list[int], lowest: int) -> dict[int, int] | None:
        waiting = [i for i in range(count) if i not in offsets]
        if not waiting:
            return offsets
        if any(floor[i] + blocks[i].size > limit for i in waiting):
            return None
        # The largest of the lowest first; one below the last placed would have come before it.
        for i in sorted(waiting, key=lambda i: (floor[i], -blocks[i].size)):
            if floor[i] < lowest:
                continue
            if next(steps, None) is None:
                return None
            end = floor[i] + blocks[i].size
            raised = [max(f, end) if meets[i][j] else f for j, f in enumerate(floor)]
            found = extend({**offsets, i: floor[i]}, raised, floor[i])
            if found is not None:
                return found
        return None

    first = {0: 0}
    found = extend(first, [blocks[0].size if meets[0][j] else 0 for j in range(count)], 0)
    return None if found is None else [found[i] for i in range(count)]
