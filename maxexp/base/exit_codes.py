"""How every command (``python -m maxexp``, ``python -m maxexp.board`` and the others) ends."""

import os
import sys
from collections.abc import Callable

from maxexp.base.disk import OUTPUT, full_places, no_space, output_full
from maxexp.base.errors import MaxexpError
from maxexp.base.interruptions import interruption_behind
from maxexp.base.languages.printable import printable
from maxexp.base.secrets import without_secrets

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

UNREAD = 141
"""Exit code where the reader of the output has gone (``| head``), as shells have it."""


def exit_code(program: str, work: Callable[[], object]) -> int:
    """Runs a command; an error of the user or of the machine is one line and exit code 1.

    Args:
        program: what the user called, for that line.
    """
    try:
        work()
        sys.stdout.flush()
    except (MaxexpError, OSError) as error:
        if isinstance(error, BrokenPipeError) and _unread():
            return UNREAD
        show_error(program, error)
        return 1
    except KeyboardInterrupt:
        return _interrupted(program)
    except Exception as error:
        if interruption_behind(error) is None:
            raise
        return _interrupted(program)
    return 0


def _interrupted(program: str) -> int:
    print(f"{program}: interrupted", file=sys.stderr)
    return INTERRUPTED


def _unread() -> bool:
    """Tells whether nobody reads the output any more; if so, the rest of it goes nowhere, in silence."""
    try:
        print(flush=True)  # what had to be written before is forgotten by now
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def show_error(program: str, error: MaxexpError | OSError) -> None:
    """Prints an error as one line, unless the user has seen it."""
    if isinstance(error, MaxexpError):
        if error.shown:
            return
        error.shown = True
    print(f"{program}: error: {printable(without_secrets(_text(error)))}", file=sys.stderr, flush=True)


def _text(error: MaxexpError | OSError) -> str:
    if not isinstance(error, OSError):
        return str(error)
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    if no_space(error) and (places := full_places()):
        return f"{error}: {', '.join(places)}"
    if no_space(error) and (reason := output_full()):
        return f"{OUTPUT}: {reason}"
    return str(error)
