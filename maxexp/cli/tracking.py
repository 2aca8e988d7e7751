"""Sends what a run could not send: ``python -m maxexp.tracking FILE [URI]``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from maxexp.base.exit_codes import exit_code
from maxexp.tracking.unsent import send_unsent


def main(arguments: Sequence[str] | None = None) -> int:
    """Sends one file; the exit code says how it went."""
    parser = argparse.ArgumentParser(
        prog="python -m maxexp.tracking", description="Sends to the tracking server what a run could not send."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a maxexp-unsent-<run id>.json")
    parser.add_argument("uri", nargs="?", metavar="URI", help="the store, where it asks for a password")
    options = parser.parse_args(arguments)
    return exit_code("maxexp", lambda: print(f"sent to run {send_unsent(options.file, options.uri)}"))
