"""Sends what runs could not send: ``python -m maxexp.tracking FOLDER ...``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from maxexp.base.exit_codes import exit_code
from maxexp.cli.program import called
from maxexp.tracking.leftovers import send_unsent


def main(arguments: Sequence[str] | None = None) -> int:
    """Sends the folders one after the other; the exit code says how it went."""
    parser = argparse.ArgumentParser(
        prog=called("tracking"), description="Sends to the tracking store what runs could not send."
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="a maxexp-unsent-<run id>")
    parser.add_argument("--tracking-uri", metavar="URI", help="the store, where it asks for a password")
    options = parser.parse_args(arguments)
    return exit_code("maxexp", lambda: _send(options.folders, options.tracking_uri))


def _send(folders: Sequence[Path], uri: str | None) -> None:
    for folder in folders:
        print(f"sent to run {send_unsent(folder, uri)}")
