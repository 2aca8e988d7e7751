"""Sends what a run could not send: ``python -m maxexp.tracking FILE [URI]``.

FILE is a ``maxexp-unsent-<run id>.json``. URI is needed only if the store asks for a password, which the
file does not have.
"""

import sys
from pathlib import Path

from maxexp.errors import MaxexpError
from maxexp.tracking.unsent import send_unsent


def main(arguments: list[str]) -> str | None:
    """Sends one file; returns what went wrong, if anything did."""
    if len(arguments) not in (1, 2):
        return "usage: python -m maxexp.tracking FILE [URI]"
    try:
        print(f"sent to run {send_unsent(Path(arguments[0]), *arguments[1:])}")
    except MaxexpError as error:
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
