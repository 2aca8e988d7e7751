"""Serial ports, and what to say where one cannot be used."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from serial import Serial, SerialException
from serial.tools.list_ports import comports

from maxexp.errors import MaxexpError


@contextmanager
def open_port(name: str, baud_rate: int, timeout_s: float, error_type: type[MaxexpError]) -> Iterator[Serial]:
    """A serial port, closed at the end.

    Args:
        timeout_s: how long one read may take.
        error_type: what is raised.

    Raises:
        MaxexpError: the port cannot be opened, or is gone while in use.
    """
    try:
        with Serial(name, baud_rate, timeout=timeout_s) as port:
            port.reset_input_buffer()
            yield port
    except (SerialException, OSError, ValueError) as error:
        present = ", ".join(sorted(port.device for port in comports())) or "none, so connect the board"
        code = getattr(error, "errno", None)
        cause = os.strerror(code) if code else " ".join(str(error).split())
        if code == errno.EACCES:
            cause += " (on Linux: add yourself to the group that owns it, mostly dialout)"
        raise error_type(f"serial port {name}: {cause}; ports present: {present}") from error
