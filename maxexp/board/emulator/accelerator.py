"""The accelerator as the bus sees it: addresses, control registers, and the run of a network."""

from dataclasses import dataclass, field

import numpy as np

from maxexp.base.errors import BoardError
from maxexp.board.emulator.cycles import STARTUP_CYCLES, layer_cycles
from maxexp.board.emulator.data_memory import QUADRANT_BYTES, DataMemory
from maxexp.board.emulator.execution import BIAS_ENTRIES, run_layer
from maxexp.board.emulator.kernel_memory import PROCESSOR_BYTES, KernelMemory
from maxexp.board.emulator.layer_settings import PROCESSORS, QUADRANTS, LayerSettings
from maxexp.board.emulator.registers import LAYERS, Reg, decode_layer

AON_CONTROL = 0x50001000
"""Power of the memories; firmware leaves them on."""
QUADRANT_BASE, QUADRANT_STEP = 0x50100000, 0x400000
BIAS_OFFSET, BIAS_BYTES = 0x8000, 4 * BIAS_ENTRIES
KERNEL_OFFSET, KERNEL_BYTES = 0x80000, PROCESSORS * PROCESSOR_BYTES
DATA_OFFSET = 0x300000

CTL, SRAM, LAYER_COUNT = 0x0, 0x4, 0x8
LAYER_OFFSET = 0x10
SRAM_NORMAL = 0x40E
"""The one setting of the memories' timing that firmware uses."""

CTL_ENABLE, CTL_CLOCK, CTL_EXT_SYNC, CTL_DONE, CTL_EXPRESS = 1 << 0, 1 << 3, 1 << 11, 1 << 12, 1 << 20
CTL_MASTER_BIT = 9
CTL_KNOWN = CTL_ENABLE | CTL_CLOCK | 3 << CTL_MASTER_BIT | CTL_EXT_SYNC | CTL_DONE | CTL_EXPRESS


@dataclass
class Accelerator:
    """Four quadrants of 16 processors.

    Attributes:
        data: data memories.
        kernels: kernel memories.
        biases: int8 (quadrants, entries).
        layer_cycles: clock cycles of each layer of the last run, the start-up cycle first.
        runs: networks computed so far.
    """

    data: DataMemory = field(default_factory=DataMemory)
    kernels: KernelMemory = field(default_factory=KernelMemory)
    layer_cycles: list[int] = field(default_factory=list)
    runs: int = 0

    def __post_init__(self) -> None:
        noise = np.random.default_rng(2)
        self.biases = noise.integers(-128, 128, (QUADRANTS, BIAS_ENTRIES), np.int8)  # arbitrary after power-up
        self._layers = np.zeros((QUADRANTS, LAYERS, max(Reg) + 1), np.uint32)
        self._control = [{CTL: 0, SRAM: 0, LAYER_COUNT: 0} for _ in range(QUADRANTS)]

    def write(self, address: int, value: int, size: int = 4) -> int:
        """A store of the firmware anywhere in the accelerator.

        Returns:
            Clock cycles of the network that this store started and that is now done; 0 if it started none.

        Raises:
            BoardError: an address or value without a known meaning.
        """
        quadrant, offset = divmod(address - QUADRANT_BASE, QUADRANT_STEP)
        if (address, value) == (AON_CONTROL, 0):
            return 0
        if not 0 <= quadrant < QUADRANTS:
            raise _unknown("store", address, value, size)
        if KERNEL_OFFSET <= offset < KERNEL_OFFSET + KERNEL_BYTES:
            processor, place = divmod(offset - KERNEL_OFFSET, PROCESSOR_BYTES)
            express = bool(self._control[quadrant][CTL] & CTL_EXPRESS)
            self.kernels.write(PROCESSORS * quadrant + processor, place, value, size, express)
        elif offset >= DATA_OFFSET and offset + size <= DATA_OFFSET + QUADRANT_BYTES:
            start = offset - DATA_OFFSET
            self.data.quadrants[quadrant][start : start + size] = value.to_bytes(size, "little")
        elif size != 4 or offset % 4:
            raise _unknown("store", address, value, size)
        elif BIAS_OFFSET <= offset < BIAS_OFFSET + BIAS_BYTES and value <= 0xFF:
            self.biases[quadrant, (offset - BIAS_OFFSET) // 4] = np.uint8(value).view(np.int8)
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
        quadrant, offset = divmod(address - QUADRANT_BASE, QUADRANT_STEP)
        if not 0 <= quadrant < QUADRANTS:
            raise _unknown("load", address, None, size)
        if offset >= DATA_OFFSET and offset + size <= DATA_OFFSET + QUADRANT_BYTES:
            start = offset - DATA_OFFSET
            return int.from_bytes(self.data.quadrants[quadrant][start : start + size], "little")
        if size != 4:
            raise _unknown("load", address, None, size)
        if KERNEL_OFFSET <= offset < KERNEL_OFFSET + KERNEL_BYTES:
            processor, place = divmod(offset - KERNEL_OFFSET, PROCESSOR_BYTES)
            return self.kernels.read(PROCESSORS * quadrant + processor, place)
        if offset in self._control[quadrant]:
            return self._control[quadrant][offset]
        return int(self._layers[self._layer_register(address, "load")])

    def _layer_register(self, address: int, what: str) -> tuple[int, int, int]:
        """(quadrant, layer, register) of an address."""
        quadrant, offset = divmod(address - QUADRANT_BASE, QUADRANT_STEP)
        number, layer = divmod((offset - LAYER_OFFSET) // 4, LAYERS)
        if offset < LAYER_OFFSET or offset % 4 or number not in list(Reg):
            raise _unknown(what, address, None, 4)
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
        if not first <= last < LAYERS:
            raise BoardError(f"emulator: layer count 0x{count:x} has no known meaning")
        self.layer_cycles = [STARTUP_CYCLES]
        written: dict[tuple[int, int], LayerSettings] = {}
        for layer in range(first, last + 1):
            self._check_others(layer, running)
            settings = decode_layer(layer, self._layers[:, layer], running)
            run_layer(settings, self.data, self.kernels, self.biases)
            self.layer_cycles.append(layer_cycles(settings, written.get(settings.source)))
            written[settings.target] = settings
        self.runs += 1
        for quadrant in running:
            self._control[quadrant][CTL] |= CTL_DONE
        return sum(self.layer_cycles)

    def _check_others(self, layer: int, running: list[int]) -> None:
        for quadrant in range(QUADRANTS):
            if quadrant not in running and self._layers[quadrant, layer, Reg.ENA]:
                raise BoardError(f"emulator: layer {layer} uses quadrant {quadrant}, which does not run")


def _unknown(what: str, address: int, value: int | None, size: int) -> BoardError:
    stored = "" if value is None else f" of 0x{value:x}"
    return BoardError(f"emulator: a {size}-byte {what}{stored} at 0x{address:08x} has no known meaning")
