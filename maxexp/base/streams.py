"""The standard streams of a command, which whoever starts it may have closed (``>&-``)."""

import os
import sys
from io import TextIOWrapper

NUMBERS = {0: "stdin", 1: "stdout", 2: "stderr"}


def open_streams() -> None:
    """Gives this process the streams that it lacks, and lets it print what the terminal's encoding cannot hold.

    Before anything else is opened: the next file would get the number of a closed stream, and with it all that a
    library prints.
    """
    for number, name in NUMBERS.items():
        if not _is_open(number):
            # The system takes the lowest free number, which is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
