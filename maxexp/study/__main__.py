"""``python -m maxexp.study run|status|report NAME``: run what a study lacks, and write its answer."""

import argparse
import logging
import sys
from pathlib import Path

from maxexp.errors import MaxexpError
from maxexp.study.description import Study, read_study
from maxexp.study.execute import jobs, run_missing, state
from maxexp.study.records import RESULTS, Results
from maxexp.study.report import write_report
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.store import Store, open_store

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


def main() -> None:
    """Entry point; errors of the user end it in one line and exit code 1."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    folder = (arguments.folder or EXPERIMENTS) / arguments.name
    try:
        study = read_study(folder / "study.yaml")
        store = open_store(TrackingConfig(uri=arguments.tracking_uri))
        results = Results(folder / RESULTS)
        failures = 0
        if arguments.command == "run":
            failures = run_missing(study, results, store, arguments.overrides, arguments.only)
        if arguments.command == "status":
            show_status(study, results, store)
        else:
            print(write_report(arguments.name, study, results, store, folder))
    except MaxexpError as error:
        print(f"maxexp: error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("maxexp: interrupted; the same command goes on", file=sys.stderr)
        sys.exit(130)
    if failures:
        print(f"maxexp: error: {failures} of the study's runs failed, see above", file=sys.stderr)
        sys.exit(1)


def show_status(study: Study, results: Results, store: Store) -> None:
    """Print where each run stands."""
    for name, seed, job in jobs(study, results, store):
        if job is None:
            print(f"{name:24} seed {seed}  waiting for {study.entries[name].starts_from}")
            continue
        stands, unfinished = state(job, results, store)
        print(f"{name:24} seed {seed}  {stands.value}{f'  run {unfinished.run_id}' if unfinished else ''}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m maxexp.study", description=__doc__)
    parser.add_argument("--tracking-uri", help="tracking store (default: as for python -m maxexp)")
    parser.add_argument("--folder", type=Path, help="folder of the studies (default: experiments/ of the checkout)")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run or resume what is missing, then report")
    status = commands.add_parser("status", help="where each run stands")
    report = commands.add_parser("report", help="write results.md, results.json and pictures from what there is")
    for command in (running, status, report):
        command.add_argument("name", metavar="NAME", help="folder of the study")
    running.add_argument("--only", nargs="+", default=[], metavar="ENTRY", help="entries to run (default: all)")
    running.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="how the machine is used, e.g. trainer.threads=1"
    )
    return parser


if __name__ == "__main__":
    main()
