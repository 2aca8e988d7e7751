"""Serial ports, and what to say where one cannot be used."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from serial import Serial, SerialException
from serial.tools.list_ports import comports

from maxexp.base.errors import MaxexpError

if sys.platform == "win32":
    _PORT_ERRORS = (OSError, ValueError)
else:
    from termios import error as termios_error

    _PORT_ERRORS = (OSError, ValueError, termios_error)


class SerialPort(Serial):
    """A serial port whose errors are all SerialException, so that nobody takes those of other files for them.

    pyserial lets some errors of the operating system through, also termios.error, which is no OSError.
    """

    @property
    def in_waiting(self) -> int:
        with _serial_exceptions():
            return super().in_waiting

    def reset_input_buffer(self) -> None:
        with _serial_exceptions():
            super().reset_input_buffer()

    def send_break(self, duration: float = 0.25) -> None:
        with _serial_exceptions():
            super().send_break(duration)


@contextmanager
def open_port(name: str, baud_rate: int, timeout_s: float, error_type: type[MaxexpError]) -> Iterator[SerialPort]:
    """A serial port, closed at the end.

    Args:
        timeout_s: how long one read may take.
        error_type: what is raised.

    Raises:
        MaxexpError: the port cannot be opened, or is gone while in use.
    """
    try:
        with _serial_exceptions():
            opened = SerialPort(name, baud_rate, timeout=timeout_s)
        with opened as port:
            port.reset_input_buffer()
            yield port
    except SerialException as error:
        present = ", ".join(sorted(port.device for port in comports())) or "none, so connect the board"
        code = error.errno
        cause = os.strerror(code) if code else " ".join(str(error).split())
        if code == errno.EACCES:
            cause += " (on Linux: add yourself to the group that owns it, mostly dialout)"
        raise error_type(f"serial port {name}: {cause}; ports present: {present}") from error


@contextmanager
def _serial_exceptions() -> Iterator[None]:
    """Errors of a port within are SerialException, with the operating system's number where there is one."""
    try:
        yield
    except SerialException:
        raise
    except _PORT_ERRORS as error:
        raise SerialException(*error.args) from error
