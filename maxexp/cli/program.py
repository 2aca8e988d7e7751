"""How the user called a command: ``maxexp board``, or ``python -m maxexp.board``."""

import sys


def called(name: str) -> str:
    """Returns what was typed for a command of this name, as its help shows it."""
    return sys.argv[0] if sys.argv[0] == spoken(name) else f"python -m maxexp.{name}"


def spoken(name: str) -> str:
    """Returns the command as a word of ``maxexp``."""
    return f"maxexp {name}"
