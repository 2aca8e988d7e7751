"""What maxexp changes of the process that it runs in, all in one place; each command that trains begins with it."""

import ctypes
import logging
import os
import platform
import warnings

_UNWANTED = (
    ".*LeafSpec.*",  # Lightning 2.6 uses a name that torch has renamed
    ".* is (an )?experimental .*",  # of Optuna's parts that are new
)
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def prepare() -> None:
    """Sets environment, warnings and allocator; to call it again changes nothing.

    Log levels of MLflow and Lightning are set where those are imported, which sets them, too.
    """
    # Hydra would print its own errors over several lines; with this it hands them to us.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    # A log file on a full disk would put a traceback on the terminal for each line; the run says what is full.
    logging.raiseExceptions = False
    for message in _UNWANTED:
        warnings.filterwarnings("ignore", message=message)
    _keep_memory()


def _keep_memory() -> None:
    """Keeps freed memory with the process: page faults dominate small trainings otherwise."""
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(_M_TOP_PAD, 256 << 20)
