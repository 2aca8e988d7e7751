"""How every command (``python -m maxexp``, ``python -m maxexp.board`` and the others) ends."""

import sys
from collections.abc import Callable

from maxexp.errors import MaxexpError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def exit_code(program: str, work: Callable[[], object]) -> int:
    """Do the work of a command; an error of the user or of the machine is one line and exit code 1.

    Args:
        program: what the user called, for that line.
    """
    try:
        work()
    except (MaxexpError, OSError) as error:
        show_error(program, error)
        return 1
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def show_error(program: str, error: MaxexpError | OSError) -> None:
    """Print an error as one line, unless the user has seen it."""
    if isinstance(error, MaxexpError):
        if error.shown:
            return
        error.shown = True
    text = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
    print(f"{program}: error: {text}", file=sys.stderr, flush=True)
