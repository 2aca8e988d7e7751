"""The zoo on the command line: ``python -m maxexp.zoo``."""

import argparse

from maxexp.base.exit_codes import exit_code
from maxexp.base.shipped import zoo_dir
from maxexp.cli.program import called
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store
from maxexp.zoo.cards import add, table, write_table


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
    print(table(zoo_dir()), end="")
