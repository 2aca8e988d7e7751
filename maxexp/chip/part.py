"""What is true of a chip: processors, memories, limits, quirks, addresses and tools in one object.

Each chip is one file in :mod:`maxexp.chip.parts`. Figures are from docs/hardware.md, Memories and limits, 3.4 and
10.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from maxexp.base.errors import ConfigError

WORD_BYTES = 4
"""Data memories are read and written in words of 32 bits."""


@dataclass(frozen=True)
class Processors:
    """The parallel convolution processors.

    Attributes:
        count: all of them; channels beyond are computed in passes.
        per_quadrant: processors of one quadrant, which has a bias memory of its own.
        per_instance: processors that share one data memory instance, as byte lanes of its words.
    """

    count: int
    per_quadrant: int
    per_instance: int

    @property
    def quadrants(self) -> int:
        return self.count // self.per_quadrant

    @property
    def instances(self) -> int:
        """Returns the data memory instances of the whole chip."""
        return self.count // self.per_instance

    def passes(self, channels: int) -> int:
        """Passes in which ``channels`` are read or written."""
        return ceil(channels / self.count)

    def used(self, channels: int) -> int:
        """Processors that hold ``channels``; in several passes whole words of them (docs/hardware.md, Kernel memory,
        rule 1)."""
        passes = self.passes(channels)
        used = ceil(channels / passes)
        return used if passes == 1 else min(self.count, self.per_instance * ceil(used / self.per_instance))


@dataclass(frozen=True)
class Memories:
    """Sizes of the accelerator's memories.

    Attributes:
        instance_bytes: one data memory instance.
        kernel_columns: columns in the weight memory of one processor.
        first_kernel_columns: the same, for the first processor of each quadrant.
        column_bytes: bytes of one column: a 3x3 kernel of 8 bits.
        bias_bytes: bias memory of one quadrant, one byte per bias.
    """

    instance_bytes: int
    kernel_columns: int
    first_kernel_columns: int
    column_bytes: int
    bias_bytes: int

    @property
    def instance_words(self) -> int:
        return self.instance_bytes // WORD_BYTES


@dataclass(frozen=True)
class Limits:
    """The largest values that layers may have.

    Attributes:
        layers: layers in one network.
        channels: input or output channels of one layer.
        size: rows or columns of a map, padding included.
        map_words: pixels of a map, times its passes.
        flatten_words: the same, of a map that a linear layer flattens.
        write_step: words from a pixel to the next that an operation can write: its output passes times the
            operands of the sum that reads them.
        operands: element-wise operands of one layer.
        pooled_operands: the same, of a layer that pools the sum.
        pool: rows or columns of a pooling window; and its stride.
        padding: rows or columns of zeros on each side of a map.
        passthrough_pool_passes: passes in which a layer without operation can pool.
    """

    layers: int
    channels: int
    size: int
    map_words: int
    flatten_words: int
    write_step: int
    operands: int
    pooled_operands: int
    pool: int
    padding: int
    passthrough_pool_passes: int


@dataclass(frozen=True)
class Quirks:
    """Where parts of the family behave differently.

    Attributes:
        single_pass_sums: a sum of several passes needs a layer of its own (2 inputs in 2 passes do not).
        sums_with_bias: an operation behind a sum in the same layer can have biases.
        conv1d_pads_passes: a convolution of signals of several passes can be padded.
    """

    single_pass_sums: bool
    sums_with_bias: bool
    conv1d_pads_passes: bool


@dataclass(frozen=True)
class Region:
    """A range of addresses: its start, and its size in bytes."""

    start: int
    size: int


@dataclass(frozen=True)
class Addresses:
    """Where software finds the memories (docs/hardware.md, Registers).

    Attributes:
        flash: the program.
        sram: variables and stack of the processor that runs it.
        memory_power: register that switches the accelerator's memories.
        interrupt: number of the interrupt by which the accelerator says that it is done.
        quadrant: control registers of the first quadrant; the layers' registers follow them.
        quadrant_step: from one quadrant to the next.
        biases: from the start of a quadrant; each bias takes a word.
        kernels: kernels of the first processor, from the start of a quadrant.
        kernel_step: from one processor's kernels to the next.
        data: first data memory instance, from the start of a quadrant.
        data_step: from one instance to the next.
    """

    flash: Region
    sram: Region
    memory_power: int
    interrupt: int
    quadrant: int
    quadrant_step: int
    biases: int
    kernels: int
    kernel_step: int
    data: int
    data_step: int


@dataclass(frozen=True)
class Tools:
    """Names of the part and its boards in the tools that make and load firmware.

    Attributes:
        synthesizer_name: device in the maker's synthesizer.
        linker_script: file in ``maxexp/board/hal``.
        boards: names of the boards that carry the part in the maker's SDK, by ours.
    """

    synthesizer_name: str
    linker_script: str
    boards: Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """A chip of the MAX7800x family.

    Attributes:
        name: the name by which ``conf/device`` chooses it.
        max_clock_mhz: the fastest clock of the accelerator.
        cycles_known: whether the cycle model (docs/hardware.md, Latency) describes its timing.
        address_map: None where it is not known: the part has no emulator and no firmware then.
        toolchain: None where none is supported.
    """

    name: str
    processors: Processors
    memories: Memories
    limits: Limits
    quirks: Quirks
    max_clock_mhz: float
    cycles_known: bool
    address_map: Addresses | None
    toolchain: Tools | None

    @property
    def weight_bytes(self) -> int:
        """The whole weight memory."""
        memories, processors = self.memories, self.processors
        others = (processors.per_quadrant - 1) * memories.kernel_columns
        return processors.quadrants * (memories.first_kernel_columns + others) * memories.column_bytes

    @property
    def data_bytes(self) -> int:
        """The whole data memory."""
        return self.processors.instances * self.memories.instance_bytes

    @property
    def addresses(self) -> Addresses:
        """Raises ConfigError where they are not known."""
        if self.address_map is None:
            raise ConfigError(
                f"device={self.name}: its addresses are not known, so it has no firmware and no emulator"
            )
        return self.address_map

    @property
    def tools(self) -> Tools:
        """Raises ConfigError where there are none."""
        if self.toolchain is None:
            raise ConfigError(f"device={self.name}: no tools that make firmware for it are supported")
        return self.toolchain

    def quadrant_address(self, quadrant: int) -> int:
        """Address of the control registers of a quadrant."""
        return self.addresses.quadrant + quadrant * self.addresses.quadrant_step

    def instance_address(self, instance: int) -> int:
        """Address of the first word of a data memory instance."""
        quadrant, rank = divmod(instance, self.processors.per_quadrant // self.processors.per_instance)
        return self.quadrant_address(quadrant) + self.addresses.data + rank * self.addresses.data_step
