"""The search for a memory map: processors of all tensors, columns of kernels, biases, offsets in data memory.

Tensors tied to one another (operands of a sum, ends of a passthrough) form a group on the same processors. The
search picks a first processor for each group, such that no processor has more kernel columns and no data memory
instance more live bytes than there are; columns, biases and offsets then follow from the synthesizer's rules or
from a search of their own. Among the maps found it keeps the one with the fewest cycles.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from maxexp.base.errors import DeviceError
from maxexp.chip.cycles import STARTUP_CYCLES, layer_cycles
from maxexp.chip.memory.biases import BiasPlace, place_biases
from maxexp.chip.memory.excess import Excess
from maxexp.chip.memory.kernels import aligned, check_totals, first_fit
from maxexp.chip.memory.sequence import write_gaps
from maxexp.chip.memory.tensors import Block, data_blocks, instances_of, place_blocks, tensor_shapes
from maxexp.chip.operations import CHIP_OPERATIONS
from maxexp.chip.part import Part
from maxexp.network.graph import INPUT, Network

ATTEMPTS = 8
"""Searches, each with another order of candidates; the first alone places most networks."""
SEARCH_STEPS, SEARCH_MAPS = 2500, 50
"""Partial and complete choices of processors tried in one attempt."""

SMALLER_DATA = "use smaller images, pool earlier or use fewer channels"


@dataclass(frozen=True)
class MemoryMap:
    """Where everything is.

    Attributes:
        network: the hardware sequence.
        first_processor: by tensor name (a layer's output, or ``input``): the first processor that holds it.
        kernel_offset: by name of a layer with weights: first column on all processors of its input.
        kernel_columns: by layer name: how many columns.
        biases: by name of a layer with biases.
        data_offset: by tensor name: byte offset of its first word in each of its instances.
        write_gap: by tensor name: free words after each of its own, for a sum's other operands.
        blocks: the byte ranges in data memory, with lifetimes.
    """

    network: Network
    part: Part
    first_processor: dict[str, int]
    kernel_offset: dict[str, int]
    kernel_columns: dict[str, int]
    biases: dict[str, BiasPlace]
    data_offset: dict[str, int]
    write_gap: dict[str, int]
    blocks: tuple[Block, ...]

    def processors(self, tensor: str) -> range:
        """Processors that hold the channels of a tensor, and compute the layers that read it."""
        channels = tensor_shapes(self.network)[tensor][0]
        start = self.first_processor[tensor]
        return range(start, start + self.part.processors.used(channels))

    def instances(self, tensor: str) -> range:
        """Returns the data memory instances of a tensor."""
        processors = self.processors(tensor)
        return instances_of(processors.start, len(processors), self.part)

    @property
    def layer_cycles(self) -> dict[str, int]:
        """Cycles of each layer where it is placed."""
        return {
            layer.name: layer_cycles(
                layer,
                self.part,
                self.kernel_offset.get(layer.name, 0),
                self.first_processor[layer.inputs[0]],
            )
            for layer in self.network
        }

    @property
    def cycles(self) -> int:
        return STARTUP_CYCLES + sum(self.layer_cycles.values())


def place(network: Network, bits: dict[str, int], part: Part) -> MemoryMap:
    """The memory map of a hardware sequence with the fewest cycles that the search finds.

    Args:
        bits: weight bits by layer name.

    Raises:
        DeviceError: there is no map (proven by counting), or none was found; with the layer, the excess and
            what would help.
    """
    columns = {x.name: CHIP_OPERATIONS[x.op].columns(x, bits.get(x.name, 8), part) for x in network}
    written = {x.name: CHIP_OPERATIONS[x.op].written_columns(x, bits.get(x.name, 8), part) for x in network}
    check_totals(network, written, part)
    search = _Search(network, columns, written, part)
    best = None
    for attempt in range(ATTEMPTS):
        for candidate in search.maps(attempt):
            if best is None or candidate.cycles < best.cycles:
                best = candidate
            if best.cycles == search.fewest_cycles:
                return best
        if best is not None:
            return best
    raise DeviceError(f"{network.name}: no memory map was found: {search.obstacle()}")


@dataclass(frozen=True)
class _Group:
    """Tensors on the same processors, and what they take there.

    Attributes:
        columns: sum over the layers that read them.
        largest: the layer among those with the most columns.
        blocks: their ranges in data memory.
        cycles: by first processor, of the layers whose cycles depend on it.
    """

    tensors: list[str]
    processors: int
    columns: int
    largest: str
    blocks: list[Block]
    cycles: dict[int, int]


class _Search:
    """Walks through the choices of first processors; remembers what stood in the way."""

    def __init__(self, network: Network, columns: dict[str, int], written: dict[str, int], part: Part) -> None:
        self._network, self._columns, self._written, self._part = network, columns, written, part
        self._blocks = data_blocks(network, part)
        self._groups = sorted((self._group(tensors) for tensors in network.tied_tensors), key=_weight)
        self._shortage: dict[str, tuple[int, str]] = {}

    @property
    def fewest_cycles(self) -> int:
        """Cycles below which no map can be: every layer at its best."""
        fixed = sum(layer_cycles(x, self._part) for x in self._network if not CHIP_OPERATIONS[x.op].cycles_by_place)
        return STARTUP_CYCLES + fixed + sum(min(group.cycles.values()) for group in self._groups)

    def maps(self, attempt: int) -> Iterator[MemoryMap]:
        """Returns the complete maps; ``attempt`` sets the order in which first processors are tried."""
        instances = self._part.processors.instances
        columns = [0] * self._part.processors.count
        bytes_live = [[0] * instances for _ in range(len(self._network.layers) + 1)]
        steps = iter(range(SEARCH_STEPS))
        draw = random.Random(attempt) if attempt else None
        choices = self._choices(self._groups, columns, bytes_live, steps, draw)
        for first_processor in islice(choices, SEARCH_MAPS):
            found = self._complete(first_processor)
            if found:
                yield found

    def obstacle(self) -> str:
        """Returns what the best choice lacked, and what would help."""
        kind = next(x for x in ("offsets", "biases", "kernels", "data") if x in self._shortage)
        over, layer = self._shortage[kind]
        name, memories = self._part.name, self._part.memories
        return {
            "kernels": f"the kernels of {layer} are at best {over} columns over the {memories.kernel_columns} of "
            f"{name}'s processors; lower model.width, its channels, or its quantization bits",
            "biases": f"the biases of {layer} are at best {over} over the {memories.bias_bytes} of one of "
            f"{name}'s bias memories, beside the others; lower model.width or use fewer channels",
            "data": f"the tensors alive at layer {layer} are at best {over:,} bytes over the "
            f"{memories.instance_bytes:,} of a data memory instance; {SMALLER_DATA}",
            "offsets": f"the tensors alive around layer {layer} ({over:,} bytes of an instance) fit its "
            f"{memories.instance_bytes:,} in pieces only; {SMALLER_DATA}",
        }[kind]

    def _group(self, tensors: list[str]) -> _Group:
        part = self._part
        used = part.processors.used(tensor_shapes(self._network)[tensors[0]][0])
        readers = [layer for layer in self._network if layer.inputs[0] in tensors]
        total = sum(aligned(self._written[layer.name]) for layer in readers)
        largest = max(readers, key=lambda layer: self._written[layer.name], default=self._network.layers[-1])
        blocks = [block for block in self._blocks if block.tensors[0] in tensors]
        last = part.processors.count - used
        # The network's input stays where firmware loads it.
        starts = [0] if INPUT in tensors else range(0, last + 1, part.processors.per_instance)
        moving = [layer for layer in readers if CHIP_OPERATIONS[layer.op].cycles_by_place]
        cycles = {start: sum(layer_cycles(x, part, 0, start) for x in moving) for start in starts}
        return _Group(tensors, used, total, largest.name, blocks, cycles)

    def _choices(
        self,
        groups: list[_Group],
        columns: list[int],
        bytes_live: list[list[int]],
        steps: Iterator[int],
        draw: random.Random | None,
    ) -> Iterator[dict[str, int]]:
        """Returns the first processors by tensor within the memories' sizes, the most promising first, until steps
        end."""
        if not groups:
            yield {}
            return
        group, *others = groups

        def promise(start: int) -> tuple:
            load = max(columns[start : start + group.processors]) if group.columns else 0
            return group.cycles[start], draw.random() if draw else load, start

        for start in sorted(group.cycles, key=promise):
            if next(steps, None) is None:
                return
            span = range(start, start + group.processors)
            over = max(columns[p] for p in span) + group.columns - self._part.memories.kernel_columns
            if over > 0:
                self._note("kernels", over, group.largest)
                continue
            deeper = [n + group.columns if p in span else n for p, n in enumerate(columns)]
            live = self._with_blocks(group, start, bytes_live)
            if live is None:
                continue
            for choice in self._choices(others, deeper, live, steps, draw):
                yield dict.fromkeys(group.tensors, start) | choice

    def _with_blocks(self, group: _Group, start: int, bytes_live: list[list[int]]) -> list[list[int]] | None:
        """Returns the live bytes by time and instance with a group's blocks; None where they are more than an
        instance has."""
        result = [list(row) for row in bytes_live]
        for block in group.blocks:
            for time in range(block.first, block.last + 1):
                row = result[time]
                for instance in instances_of(start, group.processors, self._part):
                    row[instance] += block.size
                over = max(row) - self._part.memories.instance_bytes
                if over > 0:
                    self._note("data", over, self._network.layers[max(0, time)].name)
                    return None
        return result

    def _complete(self, first_processor: dict[str, int]) -> MemoryMap | None:
        """The map with these processors, or None where something does not fit."""
        network, part = self._network, self._part
        kernels = first_fit(network, first_processor, self._columns, self._written, part)
        if isinstance(kernels, Excess):
            self._note("kernels", kernels.amount, kernels.layer)
            return None
        biases = place_biases(network, self._quadrants(first_processor), part)
        if isinstance(biases, Excess):
            self._note("biases", biases.amount, biases.layer)
            return None
        where = [instances_of(first_processor[x.tensors[0]], x.processors, part) for x in self._blocks]
        offsets = place_blocks(self._blocks, where, part.memories.instance_bytes)
        if offsets is None:
            self._note("offsets", *self._tightest())
            return None
        data_offset = {
            tensor: offset + 4 * position
            for block, offset in zip(self._blocks, offsets, strict=True)
            for position, tensor in enumerate(block.tensors)
        }
        gaps = write_gaps(network)
        blocks = tuple(self._blocks)
        return MemoryMap(network, part, first_processor, kernels, self._written, biases, data_offset, gaps, blocks)

    def _quadrants(self, first_processor: dict[str, int]) -> list[int]:
        """Quadrants that are switched on: those of all layers' inputs and of the network's output."""
        each = self._part.processors.per_quadrant
        shapes = tensor_shapes(self._network)
        used = set()
        for tensor, start in first_processor.items():
            stop = start + self._part.processors.used(shapes[tensor][0])
            used |= set(range(start // each, (stop - 1) // each + 1))
        return sorted(used)

    def _tightest(self) -> tuple[int, str]:
        """The layer with the most live bytes in all instances, and how many those are in one on average."""
        live = [sum(b.size for b in self._blocks if b.alive(i)) for i in range(len(self._network.layers))]
        most = max(range(len(live)), key=lambda i: live[i])
        return live[most], self._network.layers[most].name

    def _note(self, kind: str, over: int, layer: str) -> None:
        if kind not in self._shortage or over < self._shortage[kind][0]:
            self._shortage[kind] = (over, layer)


def _weight(group: _Group) -> tuple[int, int]:
    """Sorts the groups with the fewest places to the front."""
    return -group.processors * group.columns, -sum(block.size * block.processors for block in group.blocks)
