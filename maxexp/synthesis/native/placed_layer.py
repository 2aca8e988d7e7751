"""One layer of the hardware sequence with all that its registers depend on."""

from dataclasses import dataclass

from maxexp.chip.memory.biases import BiasPlace
from maxexp.chip.memory.placement import MemoryMap
from maxexp.chip.part import WORD_BYTES, Part
from maxexp.network.layer import Layer


@dataclass(frozen=True)
class PlacedLayer:
    """A layer, where its tensors and kernels are, and its numbers.

    Attributes:
        layer: of the hardware sequence.
        memory: the map of the whole network.
        quadrants: those that the network uses, ascending; the first starts the others.
        bits: of a weight; 8 without weights.
        shift: output shift of the register; 0 without weights.
    """

    layer: Layer
    memory: MemoryMap
    quadrants: tuple[int, ...]
    bits: int
    shift: int

    @property
    def part(self) -> Part:
        return self.memory.part

    @property
    def source(self) -> str:
        """The tensor at which reading begins: of a sum's interleaved operands, the first."""
        return self.layer.inputs[0]

    @property
    def in_processors(self) -> range:
        return self.memory.processors(self.source)

    @property
    def out_processors(self) -> range:
        return self.memory.processors(self.layer.name)

    @property
    def passes(self) -> int:
        """Words that a pixel of one operand takes in each data memory instance."""
        return self.part.processors.passes(self.layer.in_shape[0])

    @property
    def out_passes(self) -> int:
        return self.part.processors.passes(self.layer.out_shape[0])

    @property
    def gap(self) -> int:
        """Words left free behind each word of the output, for other operands of a sum."""
        return self.memory.write_gap[self.layer.name]

    @property
    def column(self) -> int:
        """Returns the first column of the kernels."""
        return self.memory.kernel_offset.get(self.layer.name, 0)

    @property
    def bias(self) -> BiasPlace | None:
        return self.memory.biases.get(self.layer.name)

    @property
    def read_word(self) -> int:
        return self.memory.data_offset[self.source] // WORD_BYTES

    @property
    def write_word(self) -> int:
        return self.memory.data_offset[self.layer.name] // WORD_BYTES

    def in_quadrant(self, processors: range, quadrant: int) -> range:
        """Returns the processors of a range that belong to a quadrant."""
        each = self.part.processors.per_quadrant
        start, stop = max(processors.start, each * quadrant), min(processors.stop, each * (quadrant + 1))
        return range(start, max(start, stop))


def used_quadrants(memory: MemoryMap) -> tuple[int, ...]:
    """Quadrants that hold a tensor; the others stay off."""
    each = memory.part.processors.per_quadrant
    return tuple(sorted({p // each for tensor in memory.first_processor for p in memory.processors(tensor)}))
