"""How the small commands (``python -m maxexp.board``, ``python -m maxexp.camera``) end."""

import sys
from collections.abc import Callable

from maxexp.errors import MaxexpError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def exit_code(program: str, work: Callable[[], None]) -> int:
    """Do the work of a command; an error of the user is one line and exit code 1.

    Args:
        program: what the user called, for that line.
    """
    try:
        work()
    except MaxexpError as error:
        print(f"{program}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0
