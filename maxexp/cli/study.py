"""``python -m maxexp.study run|status|report|restore NAME``: run what a study lacks, and write its answer."""

import argparse
import logging
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from maxexp.base.errors import StudyError
from maxexp.base.exit_codes import exit_code
from maxexp.base.shipped import experiments_dir, installed_from_wheel
from maxexp.cli.program import called
from maxexp.study.description import Study, read_study
from maxexp.study.embed import embed_tables
from maxexp.study.execute import State, run_missing, standings
from maxexp.study.records import RESULTS, Results
from maxexp.study.report import write_report
from maxexp.study.restore import restore
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.store import Store, open_store

COPIES = Path("experiments")
"""Where studies of a wheel are worked on."""


def main() -> int:
    """Runs the command; returns its exit code."""
    arguments = parse(sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    return exit_code("maxexp", lambda: arguments.work(arguments))


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line; overrides may stand before and after options, where argparse alone leaves them over."""
    parser = _parser()
    arguments, left_over = parser.parse_known_args(words)
    if unknown := [word for word in left_over if word.startswith("-") or "overrides" not in arguments]:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if left_over:
        arguments.overrides += left_over
    return arguments


def _run(arguments: argparse.Namespace) -> None:
    folder = _workplace(arguments)
    study, results, store = _opened(arguments, folder)
    try:
        unfinished = run_missing(study, results, store, arguments.overrides, arguments.only, arguments.again)
    except KeyboardInterrupt:
        print("maxexp: stopped; the same command goes on", file=sys.stderr)
        raise
    _report(arguments)
    if unfinished:
        raise StudyError(f"{unfinished} of the study's runs are not done, see above; the same command goes on")


def _status(arguments: argparse.Namespace) -> None:
    if arguments.name is None:
        for path in _descriptions(_source(arguments)):
            study, there = read_study(path), len(Results(path.with_name(RESULTS)).all)
            runs = sum(len(study.seeds_of(entry)) for entry in study.entries)
            print(f"{path.parent.name:24} {there} of {runs} runs have results  {study.title}")
        print("where each run stands: python -m maxexp.study status NAME")
        return
    study, results, store = _opened(arguments, _source(arguments) / arguments.name)
    for standing in standings(study, results, store):
        known = f"  run {standing.run_id}" if standing.run_id else ""
        waits = f" for {study.entries[standing.entry].starts_from}" if standing.state is State.waiting else ""
        print(f"{standing.entry:24} seed {standing.seed}  {standing.state.value}{waits}{known}")


def _report(arguments: argparse.Namespace) -> None:
    folder = _workplace(arguments)
    study, results, store = _opened(arguments, folder)
    print(write_report(arguments.name, study, results, store, folder))


def _restore(arguments: argparse.Namespace) -> None:
    config = TrackingConfig(uri=arguments.tracking_uri)
    source = _source(arguments)
    paths = [source / name / RESULTS for name in arguments.names] or _with_results(source)
    for path in paths:
        if not path.is_file():
            raise StudyError(f"{path} is not there; there are {', '.join(map(str, _with_results(source)))}")
        new = restore(path.parent.name, Results(path).all, config)
        print(f"{path.parent.name:24} {len(new)} runs restored")


def _with_results(folder: Path) -> list[Path]:
    return [path.with_name(RESULTS) for path in _descriptions(folder) if path.with_name(RESULTS).is_file()]


def _readme(arguments: argparse.Namespace) -> None:
    for path in arguments.files:
        path.write_text(embed_tables(path.read_text(encoding="utf-8"), path.parent), encoding="utf-8")


def _descriptions(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("*/study.yaml"))
    if not paths:
        raise StudyError(f"no study in {folder}; name the folder that has some: --folder experiments")
    return paths


def _source(arguments: argparse.Namespace) -> Path:
    """The folder from which studies are read; of a wheel's study, a copy in the current folder comes first."""
    name = getattr(arguments, "name", None)
    copied = name is not None and installed_from_wheel() and (COPIES / name).is_dir()
    return arguments.folder or (COPIES if copied else experiments_dir())


def _workplace(arguments: argparse.Namespace) -> Path:
    """The folder of a study that is written to: of a wheel's, a copy in the current folder."""
    folder = _source(arguments) / arguments.name
    if folder.parent != experiments_dir() or not installed_from_wheel() or not folder.is_dir():
        return folder
    copy = COPIES / arguments.name
    shutil.copytree(folder, copy)
    print(f"working on a copy of the study in {copy}")
    return copy


def _opened(arguments: argparse.Namespace, folder: Path) -> tuple[Study, Results, Store]:
    study = read_study(folder / "study.yaml")
    return study, Results(folder / RESULTS), open_store(TrackingConfig(uri=arguments.tracking_uri))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=called("study"), description="Runs what a study lacks, and writes its answer."
    )
    parser.add_argument("--tracking-uri", help="tracking store (default: as for python -m maxexp)")
    parser.add_argument(
        "--folder",
        type=Path,
        help="folder of the studies (default: those of maxexp; of a wheel's, run and report work on a copy in "
        "experiments/ of the current folder)",
    )
    verbs = parser.add_subparsers(required=True)
    for verb, work, text in (
        ("run", _run, "run or resume what is missing, then report"),
        ("status", _status, "where each run stands"),
        ("report", _report, "write results.md, results.json and pictures from what there is"),
    ):
        command = verbs.add_parser(verb, help=text, description=text)
        name = command.add_argument("name", metavar="NAME", help="folder of the study")
        if verb == "status":
            name.nargs, name.help = "?", "folder of the study; without: which studies there are"
        command.set_defaults(work=work)
        if verb == "run":
            _add_choices(command)
    text = "put the runs whose figures are committed into the tracking store, where it does not have them"
    restoring = verbs.add_parser("restore", help=text, description=text)
    restoring.add_argument("names", nargs="*", metavar="NAME", help="folder of a study (default: all)")
    restoring.set_defaults(work=_restore)
    text = "write the tables of studies that stand in other Markdown files"
    readme = verbs.add_parser("readme", help=text, description=text)
    readme.add_argument(
        "files", nargs="*", type=Path, default=[experiments_dir().parent / "docs" / "results.md"], metavar="FILE"
    )
    readme.set_defaults(work=_readme)
    return parser


def _add_choices(running: argparse.ArgumentParser) -> None:
    text = "entries to run, separated by commas (default: all)"
    running.add_argument("--only", type=lambda names: names.split(","), default=[], metavar="ENTRIES", help=text)
    text = "run anew what is done, too; the new results take the place of the older ones"
    running.add_argument("--again", action="store_true", help=text)
    running.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="what changes no result: how the machine is used, e.g. trainer.threads=1, and how far costs are backed, "
        "e.g. synthesis=ai8x board=emulated",
    )
