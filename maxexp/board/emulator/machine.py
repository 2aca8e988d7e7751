"""The whole part: a Cortex-M4 (by Unicorn), its memories, the peripherals and the accelerator."""

import struct
from collections.abc import Callable

import numpy as np
from unicorn import (
    UC_ARCH_ARM,
    UC_HOOK_INSN_INVALID,
    UC_HOOK_INTR,
    UC_HOOK_MEM_INVALID,
    UC_MODE_MCLASS,
    UC_MODE_THUMB,
    UC_PROT_EXEC,
    UC_PROT_READ,
    UC_PROT_WRITE,
    Uc,
    UcError,
)
from unicorn import arm_const as arm

from maxexp.base.errors import BoardError
from maxexp.board.emulator import core_registers as core
from maxexp.board.emulator.accelerator import Accelerator
from maxexp.board.emulator.peripherals import Peripherals
from maxexp.chip.part import WORD_BYTES, Part

PERIPHERALS, PERIPHERAL_BYTES = 0x40000000, 0x100000
PAGE = 0x1000

SLICE_INSTRUCTIONS = 100_000
"""The processor looks for interrupts and for the end this often."""

_WFI, _WFE = 0xBF30, 0xBF20
_THREAD_MODE_RETURN = 0xFFFFFFF9
_EXCEPTION_EXIT = 8
_NO_END = 0xFFFFFFFE
_FRAME = (
    arm.UC_ARM_REG_R0,
    arm.UC_ARM_REG_R1,
    arm.UC_ARM_REG_R2,
    arm.UC_ARM_REG_R3,
    arm.UC_ARM_REG_R12,
    arm.UC_ARM_REG_LR,
)


class Machine:
    """A part after power-up.

    Args:
        image: content of the flash from its start.
        send: gets each byte of the serial line.
        part: the chip.

    Attributes:
        idle: whether the last slice ended because the firmware waits for input.

    Raises:
        BoardError: the image is larger than the flash.
        ConfigError: the addresses of the part are not known.
    """

    def __init__(self, image: bytes, send: Callable[[int], None], part: Part) -> None:
        flash = part.addresses.flash
        if len(image) > flash.size:
            raise BoardError(f"emulator: firmware of {len(image):,} bytes; the flash has {flash.size:,}")
        self._part = part
        self.accelerator = Accelerator(part)
        self.peripherals = Peripherals(send, self._on_idle)
        self.idle = False
        self._core = core.CoreRegisters(flash.start, self._wait)
        self._uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        self._in_interrupt = False
        self._event = False
        self._leaving_interrupt = False
        self._invalid = 0
        self._error: BoardError | None = None
        self._map_memories(image)
        stack, reset = struct.unpack_from("<II", image)
        self._uc.reg_write(arm.UC_ARM_REG_SP, stack)
        self._program_counter = reset & ~1

    def _map_memories(self, image: bytes) -> None:
        uc, at = self._uc, self._part.addresses
        uc.mem_map(at.flash.start, at.flash.size, UC_PROT_READ | UC_PROT_EXEC)
        uc.mem_write(at.flash.start, image)
        uc.mem_map(at.sram.start, at.sram.size)
        uc.mem_write(at.sram.start, np.random.default_rng(4).bytes(at.sram.size))  # arbitrary after power-up
        self._map(PERIPHERALS, PERIPHERAL_BYTES, self.peripherals.read, self.peripherals.write)
        self._map(at.memory_power, PAGE, self.accelerator.read, self.accelerator.write)
        self._map(core.BASE, PAGE, self._core.read, self._core.write)
        # Biases follow registers, a word each. Kernels are the bulk, so they go the short way.
        registers = at.biases + _whole_pages(WORD_BYTES * self._part.memories.bias_bytes)
        kernels = self._part.processors.per_quadrant * at.kernel_step
        for quadrant in range(self._part.processors.quadrants):
            base = self._part.quadrant_address(quadrant)
            self._map(base, registers, self._read_accelerator, self._write_accelerator)
            self._map(base + at.kernels, kernels, self._read_accelerator, self.accelerator.write)
        for instance, memory in enumerate(self.accelerator.data.instances):
            pointer = np.frombuffer(memory, np.uint8).ctypes.data
            address = self._part.instance_address(instance)
            uc.mem_map_ptr(address, len(memory), UC_PROT_READ | UC_PROT_WRITE, pointer)
        uc.hook_add(UC_HOOK_INTR, self._on_exception)
        uc.hook_add(UC_HOOK_MEM_INVALID, self._on_invalid_access)
        uc.hook_add(UC_HOOK_INSN_INVALID, self._on_invalid_instruction)

    def _map(
        self, base: int, size: int, read: Callable[[int, int], int], write: Callable[[int, int, int], object]
    ) -> None:
        """Registers: every load and store goes to a function of (address, size) or (address, value, size)."""

        def load(_uc: Uc, offset: int, width: int, _data: object) -> int:
            try:
                return read(base + offset, width)
            except BoardError as error:
                return self._stop(error)

        def store(_uc: Uc, offset: int, width: int, value: int, _data: object) -> None:
            try:
                write(base + offset, value, width)
            except BoardError as error:
                self._stop(error)

        self._uc.mmio_map(base, size, load, None, store, None)

    def _stop(self, error: BoardError) -> int:
        """Ends the slice; Unicorn's own way would print some errors instead of raising them."""
        self._error = self._error or error
        self._uc.emu_stop()
        return 0

    def _wait(self, ticks: int) -> None:
        self.peripherals.time += ticks

    def _check_power(self, address: int) -> None:
        self.peripherals.check_accelerator(
            (address - self._part.addresses.quadrant) // self._part.addresses.quadrant_step
        )

    def _read_accelerator(self, address: int, size: int) -> int:
        self._check_power(address)
        return self.accelerator.read(address, size)

    def _write_accelerator(self, address: int, value: int, size: int) -> None:
        """The processor's store ends when the accelerator is done: no race between them is modelled."""
        self._check_power(address)
        cycles = self.accelerator.write(address, value, size)
        if cycles:
            self._wait(self.peripherals.accelerator_ticks(cycles))
            self._core.raise_interrupt(self._part.addresses.interrupt)

    def _on_idle(self) -> None:
        self.idle = True
        self._uc.emu_stop()

    def _on_exception(self, _uc: Uc, number: int, _data: object) -> None:
        if number != _EXCEPTION_EXIT or self._uc.reg_read(arm.UC_ARM_REG_PC) | 1 != _THREAD_MODE_RETURN:
            raise BoardError(f"emulator: processor exception {number}; the firmware crashed or calls a supervisor")
        self._leaving_interrupt = True
        self._uc.emu_stop()

    def _on_invalid_access(self, _uc: Uc, _kind: int, address: int, _size: int, _value: int, _data: object) -> bool:
        self._invalid = address
        return False

    def _on_invalid_instruction(self, uc: Uc, _data: object) -> bool:
        """Ends the slice at wfe as at wfi; Unicorn does not know it."""
        if self._last_instruction() != _WFE:
            return False
        uc.emu_stop()
        return True

    def run_slice(self) -> bool:
        """Runs until an interrupt, sleep, waiting for input, or for a slice of instructions.

        Returns:
            False if the firmware sleeps and nothing will wake it.

        Raises:
            BoardError: the firmware does what has no known meaning.
        """
        self.idle = False
        try:
            self._uc.emu_start(self._program_counter | 1, _NO_END, count=SLICE_INSTRUCTIONS)
        except UcError as error:
            where = self._uc.reg_read(arm.UC_ARM_REG_PC)
            raise BoardError(
                f"emulator: the firmware crashed at 0x{where:08x}, last address 0x{self._invalid:08x}: {error}"
            ) from error
        if self._error is not None:
            raise self._error
        self._program_counter = self._uc.reg_read(arm.UC_ARM_REG_PC)
        if self._leaving_interrupt:
            self._in_interrupt = self._leaving_interrupt = False
            self._event = True
            self._pop_frame()
            return True
        interrupt = self._core.next_interrupt()
        if interrupt is not None and not self._in_interrupt and not self._uc.reg_read(arm.UC_ARM_REG_PRIMASK):
            self._enter_interrupt(interrupt)
            return True
        last = self._last_instruction()
        if last == _WFE:
            # The event register of the core: set when an interrupt was served, cleared by wfe (ARMv7-M manual, B1.5).
            happened, self._event = self._event, False
            return happened
        return interrupt is not None or last != _WFI

    def _last_instruction(self) -> int:
        """Its 16 bits, or the second half of it."""
        (word,) = struct.unpack("<H", self._uc.mem_read(self._uc.reg_read(arm.UC_ARM_REG_PC) - 2, 2))
        return int(word)

    def _enter_interrupt(self, number: int) -> None:
        """Stacks the registers that a function may change, and calls the handler."""
        uc = self._uc
        stack = uc.reg_read(arm.UC_ARM_REG_SP)
        status = uc.reg_read(arm.UC_ARM_REG_XPSR) & ~(1 << 9) | (stack & 4) << 7
        stack = (stack & ~7) - 32
        frame = [uc.reg_read(register) for register in _FRAME] + [self._program_counter, status]
        uc.mem_write(stack, struct.pack("<8I", *frame))
        uc.reg_write(arm.UC_ARM_REG_SP, stack)
        uc.reg_write(arm.UC_ARM_REG_LR, _THREAD_MODE_RETURN)
        (handler,) = struct.unpack("<I", uc.mem_read(self._core.vectors + 4 * (16 + number), 4))
        self._program_counter = handler & ~1
        self._core.acknowledge(number)
        self._in_interrupt = True

    def _pop_frame(self) -> None:
        uc = self._uc
        stack = uc.reg_read(arm.UC_ARM_REG_SP)
        *values, self._program_counter, status = struct.unpack("<8I", uc.mem_read(stack, 32))
        for register, value in zip(_FRAME, values, strict=True):
            uc.reg_write(register, value)
        uc.reg_write(arm.UC_ARM_REG_SP, stack + 32 + (status >> 9 & 1) * 4)
        uc.reg_write(arm.UC_ARM_REG_XPSR, status & ~(1 << 9))


def _whole_pages(size: int) -> int:
    return -(-size // PAGE) * PAGE
