"""What stands in for a board: a serial port with a voice, a USB drive that behaves, programs that write firmware."""

import os
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

RECORDED = """Waiting...

*** CNN Inference Test net ***

*** PASS ***

Approximate inference time: 4564 us

Classification results:
[ -24897] -> Class 0: 0.0%
[ 199318] -> Class 1: 100.0%
"""
"""As the maker's boards say it (docs/hardware.md, Firmware)."""

FAILED = """Waiting...

*** CNN Inference Test net ***
Data mismatch (1/4) at address 0x50404000: Expected 0xfffc3376, read 0x00000001.

*** FAIL ***

"""

DETAILS = "# DAPLink Firmware\nUnique ID: 04441702\nHIC ID: 97969907\n"


class SerialStandIn:
    """A pseudo-terminal whose other end speaks once ``start`` is called, as a board does after its reset.

    Args:
        speech: gets the other end's file descriptor.
    """

    def __init__(self, speech: Callable[[int], None]) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.name = os.ttyname(slave)
        # As long as one end is open here, opening and closing the port by its name is no hang-up.
        self._slave = slave
        self._speech = speech
        self._thread = threading.Thread(target=self._speak, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _speak(self) -> None:
        self._speech(self._master)

    def unplug(self) -> None:
        os.close(self._master)
        self._master = -1

    def __enter__(self) -> "SerialStandIn":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._thread.is_alive():
            self._thread.join(10)
        if self._master >= 0:
            os.close(self._master)
        os.close(self._slave)


def saying(*pieces: bytes, pause_s: float = 0.05) -> Callable[[int], None]:
    """A speech in pieces."""

    def speak(master: int) -> None:
        for piece in pieces:
            time.sleep(pause_s)
            os.write(master, piece)

    return speak


class DriveStandIn(threading.Thread):
    """A folder that behaves like the drive of a DAPLink adapter.

    What is copied onto it is read, the drive goes away, and comes back without it; with FAIL.TXT if ``error`` is set.

    Attributes:
        written: the programs that arrived.
    """

    def __init__(self, folder: Path, error: str | None = None, comes_back: bool = True) -> None:
        super().__init__(daemon=True)
        self.folder, self.error, self.comes_back = folder, error, comes_back
        self.written: list[bytes] = []
        self._stop_wanted = threading.Event()
        folder.mkdir(exist_ok=True)
        (folder / "DETAILS.TXT").write_text(DETAILS)

    def run(self) -> None:
        while not self._stop_wanted.wait(0.01):
            for path in self.folder.glob("*.hex"):
                size = -1
                while size != path.stat().st_size:  # until all of it is there
                    size = path.stat().st_size
                    time.sleep(0.05)
                self.written.append(path.read_bytes())
                (self.folder / "DETAILS.TXT").unlink()
                (self.folder / "FAIL.TXT").unlink(missing_ok=True)
                path.unlink()
                if not self.comes_back:
                    return
                time.sleep(0.1)
                if self.error:
                    (self.folder / "FAIL.TXT").write_text(self.error)
                (self.folder / "DETAILS.TXT").write_text(DETAILS)

    def stop(self) -> None:
        self._stop_wanted.set()
        self.join(10)


OPENOCD = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word" >> {record}; done
cat >&2 <<'END'
Open On-Chip Debugger 0.11.0
{says}
END
exit {code}
"""


def openocd_stand_in(folder: Path, says: str = "", code: int = 0) -> Path:
    """A program called openocd that writes its arguments, a line each, to ``arguments.txt`` beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "openocd"
    program.write_text(OPENOCD.format(record=folder / "arguments.txt", says=says, code=code))
    program.chmod(0o755)
    return program
