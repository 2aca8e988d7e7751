"""The accelerator as the bus sees it: addresses, control registers, and the run of a network."""

import numpy as np
from numpy.typing import NDArray

from maxexp.base.errors import BoardError
from maxexp.board.emulator.cycles import STARTUP_CYCLES, layer_cycles
from maxexp.board.emulator.data_memory import DataMemory
from maxexp.board.emulator.execution import run_layer
from maxexp.board.emulator.kernel_memory import KernelMemory
from maxexp.board.emulator.layer_settings import LayerSettings
from maxexp.board.emulator.registers import Reg, decode_layer
from maxexp.chip.part import WORD_BYTES, Part

CTL, SRAM, LAYER_COUNT = 0x0, 0x4, 0x8
LAYER_OFFSET = 0x10
SRAM_NORMAL = 0x40E
"""The one setting of the memories' timing that firmware uses."""

CTL_ENABLE, CTL_CLOCK, CTL_EXT_SYNC, CTL_DONE, CTL_EXPRESS = 1 << 0, 1 << 3, 1 << 11, 1 << 12, 1 << 20
CTL_MASTER_BIT = 9
CTL_KNOWN = CTL_ENABLE | CTL_CLOCK | 3 << CTL_MASTER_BIT | CTL_EXT_SYNC | CTL_DONE | CTL_EXPRESS


class Accelerator:
    """The quadrants of a part, with their memories and registers.

    Attributes:
        data: data memories.
        kernels: kernel memories.
        biases: int8 (quadrants, entries).
        layer_cycles: clock cycles of each layer of the last run, the start-up cycle first.
        runs: networks computed so far.

    Raises:
        ConfigError: the part's addresses are not known.
    """

    def __init__(self, part: Part) -> None:
        self._part, self._addresses = part, part.addresses
        quadrants, entries = part.processors.quadrants, part.memories.bias_bytes
        self.data, self.kernels = DataMemory(part), KernelMemory(part)
        self.layer_cycles: list[int] = []
        self.runs = 0
        noise = np.random.default_rng(2)
        self.biases = noise.integers(-128, 128, (quadrants, entries), np.int8)  # arbitrary after power-up
        self._layers = np.zeros((quadrants, part.limits.layers, max(Reg) + 1), np.uint32)
        self._control = [{CTL: 0, SRAM: 0, LAYER_COUNT: 0} for _ in range(quadrants)]

    @property
    def registers(self) -> NDArray[np.uint32]:
        """Returns the layer registers: uint32 (quadrants, layers, registers)."""
        return self._layers.copy()

    @property
    def layer_counts(self) -> list[int]:
        """The register of each quadrant that says how many layers there are."""
        return [control[LAYER_COUNT] for control in self._control]

    def write(self, address: int, value: int, size: int = 4) -> int:
        """A store of the firmware anywhere in the accelerator.

        Returns:
            Clock cycles of the network that this store started and that is now done; 0 if it started none.

        Raises:
            BoardError: an address or value without a known meaning.
        """
        if (address, value) == (self._addresses.memory_power, 0):
            return 0  # firmware leaves the memories on
        quadrant, offset = self._place(address, "store", value, size)
        if (kernel := self._kernel_place(quadrant, offset)) is not None:
            express = bool(self._control[quadrant][CTL] & CTL_EXPRESS)
            self.kernels.write(*kernel, value, size, express)
        elif (data := self._data_place(quadrant, offset, size)) is not None:
            instance, start = data
            self.data.instances[instance][start : start + size] = value.to_bytes(size, "little")
        elif size != WORD_BYTES or offset % WORD_BYTES:
            raise _unknown("store", address, value, size)
        elif (entry := self._bias_entry(offset)) is not None and value <= 0xFF:
            self.biases[quadrant, entry] = np.uint8(value).view(np.int8)
        elif offset in self._control[quadrant]:
            return self._write_control(quadrant, offset, value)
        else:
            self._layers[self._layer_register(address, "store")] = value
        return 0

    def read(self, address: int, size: int = 4) -> int:
        """A load of the firmware.

        Raises:
            BoardError: an address without a known meaning; biases can only be written.
        """
        quadrant, offset = self._place(address, "load", None, size)
        if (data := self._data_place(quadrant, offset, size)) is not None:
            instance, start = data
            return int.from_bytes(self.data.instances[instance][start : start + size], "little")
        if size != WORD_BYTES:
            raise _unknown("load", address, None, size)
        if (kernel := self._kernel_place(quadrant, offset)) is not None:
            return self.kernels.read(*kernel)
        if offset in self._control[quadrant]:
            return self._control[quadrant][offset]
        return int(self._layers[self._layer_register(address, "load")])

    def _place(self, address: int, what: str, value: int | None, size: int) -> tuple[int, int]:
        """The quadrant of an address, and the offset from its start."""
        quadrant, offset = divmod(address - self._addresses.quadrant, self._addresses.quadrant_step)
        if not 0 <= quadrant < self._part.processors.quadrants:
            raise _unknown(what, address, value, size)
        return quadrant, offset

    def _kernel_place(self, quadrant: int, offset: int) -> tuple[int, int] | None:
        """The processor whose kernels are there, and the offset among them."""
        each = self._part.processors.per_quadrant
        processor, place = divmod(offset - self._addresses.kernels, self._addresses.kernel_step)
        return (each * quadrant + processor, place) if 0 <= processor < each else None

    def _data_place(self, quadrant: int, offset: int, size: int) -> tuple[int, int] | None:
        """The data memory instance that is there, and the offset in it."""
        processors = self._part.processors
        each = processors.per_quadrant // processors.per_instance
        rank, place = divmod(offset - self._addresses.data, self._addresses.data_step)
        inside = 0 <= rank < each and place + size <= self._part.memories.instance_bytes
        return (each * quadrant + rank, place) if inside else None

    def _bias_entry(self, offset: int) -> int | None:
        entry = (offset - self._addresses.biases) // WORD_BYTES
        return entry if 0 <= entry < self._part.memories.bias_bytes else None

    def _layer_register(self, address: int, what: str) -> tuple[int, int, int]:
        """Returns (quadrant, layer, register) of an address."""
        quadrant, offset = self._place(address, what, None, WORD_BYTES)
        number, layer = divmod((offset - LAYER_OFFSET) // WORD_BYTES, self._part.limits.layers)
        if offset < LAYER_OFFSET or offset % WORD_BYTES or number not in list(Reg):
            raise _unknown(what, address, None, WORD_BYTES)
        return quadrant, layer, number

    def _write_control(self, quadrant: int, offset: int, value: int) -> int:
        self._control[quadrant][offset] = value
        if offset != CTL:
            return 0
        if value & ~CTL_KNOWN:
            raise BoardError(
                f"emulator: quadrant {quadrant}: control register 0x{value:08x} has bits without a model "
                "(streaming, FIFO, rounded average pooling and others are not modelled)"
            )
        master = value >> CTL_MASTER_BIT & 3
        if value & CTL_ENABLE and not value & CTL_EXT_SYNC and master == quadrant:
            return self._run(master)
        return 0

    def _run(self, master: int) -> int:
        """All layers, one after another; afterwards every running quadrant says that it is done."""
        running = [master]
        for quadrant, control in enumerate(self._control):
            waits = control[CTL] & (CTL_ENABLE | CTL_EXT_SYNC) == CTL_ENABLE | CTL_EXT_SYNC
            if quadrant != master and waits and control[CTL] >> CTL_MASTER_BIT & 3 == master:
                running.append(quadrant)
        counts = {self._control[q][LAYER_COUNT] for q in running}
        if len(counts) > 1 or any(self._control[q][SRAM] != SRAM_NORMAL for q in running):
            raise BoardError("emulator: the quadrants do not agree on the layers, or their memories are not set up")
        if not all(self._control[q][CTL] & CTL_CLOCK for q in running):
            raise BoardError("emulator: the accelerator was started without its clock")
        (count,) = counts
        last, first = count & 0xFF, count >> 8
        if not first <= last < self._part.limits.layers:
            raise BoardError(f"emulator: layer count 0x{count:x} has no known meaning")
        self.layer_cycles = [STARTUP_CYCLES]
        written: dict[tuple[int, int], LayerSettings] = {}
        for layer in range(first, last + 1):
            self._check_others(layer, running)
            settings = decode_layer(layer, self._layers[:, layer], running, self._part)
            run_layer(settings, self.data, self.kernels, self.biases)
            self.layer_cycles.append(layer_cycles(settings, written.get(settings.source)))
            written[settings.target] = settings
        self.runs += 1
        for quadrant in running:
            self._control[quadrant][CTL] |= CTL_DONE
        return sum(self.layer_cycles)

    def _check_others(self, layer: int, running: list[int]) -> None:
        for quadrant in range(self._part.processors.quadrants):
            if quadrant not in running and self._layers[quadrant, layer, Reg.ENA]:
                raise BoardError(f"emulator: layer {layer} uses quadrant {quadrant}, which does not run")


def _unknown(what: str, address: int, value: int | None, size: int) -> BoardError:
    stored = "" if value is None else f" of 0x{value:x}"
    return BoardError(f"emulator: a {size}-byte {what}{stored} at 0x{address:08x} has no known meaning")
