"""The Cortex-M4's own registers: interrupt controller, system timer, vector table."""

from collections.abc import Callable

from maxexp.base.errors import BoardError

BASE = 0xE000E000
SYSTICK_CTRL, SYSTICK_LOAD, SYSTICK_VALUE = 0x010, 0x014, 0x018
INTERRUPT_ENABLE, INTERRUPT_DISABLE, INTERRUPT_PENDING, INTERRUPT_CLEAR = 0x100, 0x180, 0x200, 0x280
_INTERRUPT_WORDS = 8
VECTOR_TABLE = 0xD08

_SYSTICK_ON_CORE_CLOCK, _SYSTICK_EXPIRED = 5, 1 << 16
_CORE_CLOCKS_PER_TICK = 2
"""The core runs at twice the peripheral clock."""


class CoreRegisters:
    """Registers from 0xE000E000 on.

    Args:
        flash: where the vector table is after reset.
        wait: lets that many ticks of the peripheral clock pass.
    """

    def __init__(self, flash: int, wait: Callable[[int], None]) -> None:
        self.vectors = flash
        self._wait = wait
        self._enabled: set[int] = set()
        self._pending: set[int] = set()
        self._systick = {SYSTICK_CTRL: 0, SYSTICK_LOAD: 0, SYSTICK_VALUE: 0}

    def raise_interrupt(self, number: int) -> None:
        """An interrupt line goes up."""
        self._pending.add(number)

    def next_interrupt(self) -> int | None:
        """The interrupt to serve now, if any."""
        return min(self._pending & self._enabled, default=None)

    def acknowledge(self, number: int) -> None:
        """The interrupt is being served."""
        self._pending.discard(number)

    def write(self, address: int, value: int, size: int = 4) -> None:
        """A store of the firmware; raises BoardError where its meaning is not known."""
        offset = address - BASE
        bits = {32 * (offset % 0x80 // 4) + bit for bit in range(32) if value >> bit & 1}
        block = offset & ~0x7F
        in_block = size == 4 and offset % 4 == 0 and offset % 0x80 // 4 < _INTERRUPT_WORDS
        if in_block and block == INTERRUPT_ENABLE:
            self._enabled |= bits
        elif in_block and block == INTERRUPT_DISABLE:
            self._enabled -= bits
        elif in_block and block == INTERRUPT_PENDING:
            self._pending |= bits
        elif in_block and block == INTERRUPT_CLEAR:
            self._pending -= bits
        elif size == 4 and offset == VECTOR_TABLE and value % 512 == 0:
            self.vectors = value
        elif size == 4 and self._is_systick(offset, value):
            self._systick[offset] = value
        else:
            raise BoardError(f"emulator: a {size}-byte store of 0x{value:x} at 0x{address:08x} is not modelled")

    def _is_systick(self, offset: int, value: int) -> bool:
        return offset in self._systick and (offset != SYSTICK_CTRL or value in (0, _SYSTICK_ON_CORE_CLOCK))

    def read(self, address: int, size: int = 4) -> int:
        """A load of the firmware; raises BoardError where its meaning is not known.

        Whoever reads the running system timer waits for it, so time jumps to its end.
        """
        offset = address - BASE
        if size == 4 and offset == SYSTICK_CTRL and self._systick[SYSTICK_CTRL]:
            self._wait((self._systick[SYSTICK_LOAD] + 1) // _CORE_CLOCKS_PER_TICK)
            return self._systick[SYSTICK_CTRL] | _SYSTICK_EXPIRED
        if size == 4 and offset == VECTOR_TABLE:
            return self.vectors
        raise BoardError(f"emulator: a {size}-byte load at 0x{address:08x} is not modelled")
