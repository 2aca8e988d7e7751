"""The zoo on the command line: ``python -m maxexp.zoo``."""

import argparse
import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maxexp.base.exit_codes import exit_code
from maxexp.base.shipped import zoo_dir
from maxexp.cli.program import called
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store
from maxexp.zoo.cards import HEADING, add, rows, write_table

WIDE = 200
"""Columns of the list where it goes into a file or another program."""


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog=called("zoo"), description="The zoo: trained networks, with a card each.")
    commands = parser.add_subparsers(required=True)
    listing = commands.add_parser("list", help="the networks and their figures")
    listing.set_defaults(work=_list)
    adding = commands.add_parser("add", help="keep the integer network of a finished run")
    adding.add_argument("run_id")
    adding.add_argument("name", help="letters, digits, '_' and '-'; checkpoint=zoo:NAME loads it")
    adding.add_argument("--tracking-uri", help="tracking store of the run (default: as for python -m maxexp)")
    adding.set_defaults(work=_add)
    arguments = parser.parse_args()
    return exit_code("maxexp", lambda: arguments.work(arguments))


def _add(arguments: argparse.Namespace) -> None:
    store = open_store(TrackingConfig(uri=arguments.tracking_uri), existing=True)
    print(add(read_run(store, arguments.run_id), arguments.name, zoo_dir(), store))
    write_table(zoo_dir())
    _list(arguments)


def _list(arguments: argparse.Namespace) -> None:
    shown = Table()
    for index, heading in enumerate(HEADING):
        shown.add_column(heading, justify="right" if index else "left", overflow="fold")
    for row in rows(zoo_dir()):
        shown.add_row(*map(escape, row))
    # As wide as it is where nobody looks at it: names are to be found whole.
    Console(width=None if sys.stdout.isatty() else WIDE).print(shown)
