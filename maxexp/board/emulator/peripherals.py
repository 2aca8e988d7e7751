"""Clocks, power, timer, serial line and pins: what firmware touches besides the accelerator.

Time is counted in ticks of the peripheral clock. It passes while the accelerator computes and while the
firmware waits; instructions take none.
"""

from collections import deque
from collections.abc import Callable

from maxexp.base.errors import BoardError

GCR, GCFR, GPIO0, GPIO2 = 0x40000000, 0x40005800, 0x40008000, 0x40080400
CLKCTRL, PCLKDIV, PCLKDIS0 = GCR + 0x08, GCR + 0x18, GCR + 0x24
TMR_COUNT, TMR_COMPARE, TMR_FLAGS, TMR_CTRL0, TMR_CTRL1 = 0x40010000, 0x40010004, 0x4001000C, 0x40010010, 0x40010018
UART_CTRL, UART_STATUS, UART_CLKDIV, UART_FIFO = 0x40042000, 0x40042004, 0x40042010, 0x40042020
ICC_CTRL, ICC_INVALIDATE = 0x4002A100, 0x4002A700
LOW_POWER_PCLKDIS, CNN_VOLTAGE = 0x4008000C, 0x4000440C

_CLOCKS_READY = {19: 27, 20: 28}
"""Clocks by the bit that switches them on: the bit that says they run (100 MHz, 7.37 MHz)."""
_SYSTEM_CLOCK_READY = 1 << 13
_SYSTEM_CLOCK_FIELD, _SYSTEM_CLOCK_IPO = 0xFC0, 4 << 9
_RESET_CLOCKS = 1 << 18 | 1 << 26
_CNN_CLOCK_OFF, _TIMER_CLOCK_OFF, _UART_CLOCK_OFF = 1 << 25, 1 << 15, 1 << 9
_CNN_DIVIDERS = {0: 2, 1: 4, 2: 8, 3: 16, 4: 1}

_TMR_CONTINUOUS, _TMR_CLOCK_ON, _TMR_ENABLE = 1, 1 << 14, 1 << 15
_TMR_CASCADE, _TMR_CLOCK_ENABLED, _TMR_CLOCK_READY, _TMR_WRITE_DONE = 1 << 31, 1 << 2, 1 << 3, 1 << 8
_UART_CLOCK_ON, _UART_CLOCK_READY, _UART_RX_EMPTY, _UART_TX_EMPTY = 1 << 15, 1 << 19, 1 << 4, 1 << 6
_UART_8N1_FROM_IBRO, _UART_115200 = 3 << 10 | 1 | 2 << 16, 64
_IDLE_POLLS = 64
_ICC_READY = 1 << 16

_PINS = [0x00, 0x0C, 0x18, 0x68, 0x74]
"""Registers of a pin port; next to each are two that set, and clear, its bits."""
_KEPT = {
    *(GCFR, GCFR + 4, GCFR + 8, GCFR + 12, CLKCTRL, PCLKDIV, PCLKDIS0, LOW_POWER_PCLKDIS, CNN_VOLTAGE),
    *(TMR_COMPARE, TMR_CTRL0, TMR_CTRL1, UART_CTRL, UART_CLKDIV, ICC_CTRL, ICC_INVALIDATE),
}
"""Registers that keep what is stored in them."""


class Peripherals:
    """Registers from 0x40000000 on.

    Args:
        send: gets each byte that goes out on the serial line.
        idle: called when the firmware asks for input again and again and there is none.

    Attributes:
        time: ticks of the peripheral clock since power-up.
        received: bytes that came in on the serial line and that the firmware has not read yet.
    """

    def __init__(self, send: Callable[[int], None], idle: Callable[[], None]) -> None:
        self.time = 0
        self.received: deque[int] = deque()
        self._send = send
        self._idle = idle
        self._vain_polls = 0
        self._values: dict[int, int] = {PCLKDIS0: 0xFFFFFFFF, CLKCTRL: _RESET_CLOCKS}
        self._timer_start: int | None = None
        self._timer_count = 0

    def write(self, address: int, value: int, size: int = 4) -> None:
        """A store of the firmware; raises BoardError where its meaning is not known."""
        if size != 4:
            raise _unknown("store", address)
        if address == UART_FIFO:
            self._check_serial()
            self._vain_polls = 0
            self._send(value & 0xFF)
        elif address == TMR_COUNT:
            self._timer_count = value
        elif address == TMR_CTRL0:
            self._control_timer(address, value)
        elif address in _KEPT:
            self._values[address] = value
        else:
            self._write_pins(address, value)

    def read(self, address: int, size: int = 4) -> int:
        """A load of the firmware; raises BoardError where its meaning is not known."""
        value = self._values.get(address, 0)
        if size != 4:
            raise _unknown("load", address)
        if address == CLKCTRL:
            ready = sum(1 << bit for on, bit in _CLOCKS_READY.items() if value >> on & 1)
            return value | ready | _SYSTEM_CLOCK_READY
        if address == TMR_COUNT:
            return self._timer_count + (0 if self._timer_start is None else self.time - self._timer_start)
        if address == TMR_FLAGS:
            return _TMR_WRITE_DONE
        if address == TMR_CTRL1:
            control = self._values.get(TMR_CTRL0, 0)
            ready = _TMR_CLOCK_READY if control & _TMR_CLOCK_ON else 0
            return value | ready | (_TMR_CLOCK_ENABLED if control & _TMR_ENABLE else 0)
        if address == UART_CTRL:
            return value | (_UART_CLOCK_READY if value & _UART_CLOCK_ON else 0)
        if address == UART_STATUS:
            return self._serial_status()
        if address == UART_FIFO and self.received:
            self._check_serial()
            return self.received.popleft()
        if address == ICC_CTRL:
            return value | _ICC_READY
        if address in _KEPT or address - GPIO0 in _PINS or address - GPIO2 in _PINS:
            return value
        raise _unknown("load", address)

    def _write_pins(self, address: int, value: int) -> None:
        """Each pin register has one that sets, and one that clears bits."""
        base = GPIO2 if address >= GPIO2 else GPIO0
        for register in _PINS:
            kept = self._values.get(base + register, 0)
            changed = {0: value, 4: kept | value, 8: kept & ~value}.get(address - base - register)
            if changed is not None:
                self._values[base + register] = changed
                return
        raise _unknown("store", address, value)

    def _control_timer(self, address: int, value: int) -> None:
        """Returns timer 0, which counts the peripheral clock in 32 bits, or stands still."""
        cascade = self._values.get(TMR_CTRL1, 0)
        running = _TMR_CONTINUOUS | _TMR_CLOCK_ON | _TMR_ENABLE
        known = value in (0, running, running & ~_TMR_ENABLE) and cascade == _TMR_CASCADE
        if not known and not (value == cascade == 0):
            raise _unknown("store", address, value)
        if value and self._values[PCLKDIS0] & _TIMER_CLOCK_OFF:
            raise BoardError("emulator: timer 0 is used while its clock is off")
        self._values[address] = value
        if value & _TMR_ENABLE and self._timer_start is None:
            self._check_system_clock()
            self._timer_start = self.time
        elif not value & _TMR_ENABLE and self._timer_start is not None:
            self._timer_count += self.time - self._timer_start
            self._timer_start = None

    def _serial_status(self) -> int:
        if self.received:
            return _UART_TX_EMPTY
        self._vain_polls += 1
        if self._vain_polls % _IDLE_POLLS == 0:
            self._idle()
        return _UART_TX_EMPTY | _UART_RX_EMPTY

    def _check_serial(self) -> None:
        known = self._values.get(UART_CTRL) == _UART_8N1_FROM_IBRO | _UART_CLOCK_ON
        if not known or self._values.get(UART_CLKDIV) != _UART_115200:
            raise BoardError("emulator: the serial line is not set to 115200 baud, 8N1; no host would understand it")
        if self._values[PCLKDIS0] & _UART_CLOCK_OFF:
            raise BoardError("emulator: the serial line is used while its clock is off")

    def _check_system_clock(self) -> None:
        if self._values[CLKCTRL] & _SYSTEM_CLOCK_FIELD != _SYSTEM_CLOCK_IPO:
            raise BoardError("emulator: the system clock is not the 100 MHz oscillator; others are not modelled")

    def check_accelerator(self, quadrant: int) -> None:
        """Refuses an access to a quadrant of the accelerator without power or clock."""
        power, memory, isolated, reset = (self._values.get(GCFR + 4 * i, 0) >> quadrant & 1 for i in range(4))
        if (power, memory, isolated, reset) != (1, 1, 0, 0) or self._values[PCLKDIS0] & _CNN_CLOCK_OFF:
            raise BoardError(f"emulator: quadrant {quadrant} of the accelerator is used without power or clock")

    def accelerator_ticks(self, cycles: int) -> int:
        """Ticks of the peripheral clock that the accelerator's cycles take."""
        self._check_system_clock()
        divider = self._values.get(PCLKDIV, 0) >> 14 & 0xF
        if divider not in _CNN_DIVIDERS:
            raise BoardError(f"emulator: clock divider code {divider} of the accelerator has no known meaning")
        return cycles * _CNN_DIVIDERS[divider]


def _unknown(what: str, address: int, value: int | None = None) -> BoardError:
    stored = "" if value is None else f" of 0x{value:x}"
    return BoardError(f"emulator: a {what}{stored} at 0x{address:08x}: no such register is modelled")
