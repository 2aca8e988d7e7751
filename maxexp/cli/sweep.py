"""Shows, resumes, reports and exports sweeps: ``python -m maxexp.sweep show|resume|report|export STUDY``."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maxexp.base import this_process
from maxexp.base.errors import ConfigError
from maxexp.base.exit_codes import exit_code
from maxexp.base.languages.file_name import file_name
from maxexp.base.languages.override import override_value
from maxexp.base.languages.printable import printable
from maxexp.base.languages.shell import shell_command
from maxexp.base.secrets import keep
from maxexp.base.shipped import conf_dir
from maxexp.cli.program import called
from maxexp.sweep.coordinator import Coordinator
from maxexp.sweep.outcome.export import experiment_yaml
from maxexp.sweep.outcome.progress import progress_line
from maxexp.sweep.outcome.report import PAGE, best, page, sweep_files
from maxexp.sweep.outcome.tables import figures, shared
from maxexp.sweep.search.config import SweepConfig
from maxexp.sweep.workers.attributes import PLAN, STOPPED, TOTAL
from maxexp.sweep.workers.results import Result, pareto_set, results
from maxexp.sweep.workers.storage import check_exists, open_storage
from maxexp.sweep.workers.study import SweepStudy, counts, first_phase, open_phases
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store

DPI = 110
PRESETS = "experiment"
"""Group of the configuration, and name of its folder, that an exported trial is of."""
REASONS = 5
"""Reasons of failures that are shown, the most frequent ones."""


def main() -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args()
    this_process.prepare()
    return exit_code("maxexp", lambda: _work(arguments))


def _work(arguments: argparse.Namespace) -> None:
    arguments.storage = keep(arguments.storage)
    check_exists(arguments.storage)
    arguments.work(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=called("sweep"), description="Shows sweeps, resumes them, and writes what they found."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, work, text in (
        ("show", _show, "progress, time left and Pareto set; without STUDY: all studies"),
        ("resume", _resume, "resume a study"),
        ("report", _report, f"write tables, pictures and the page {PAGE} into a folder"),
        ("export", _export, "write a trial as conf/experiment/NAME.yaml"),
    ):
        sub = verbs.add_parser(verb, help=text, description=text)
        sub.add_argument("study", nargs="?" if verb == "show" else None)
        sub.add_argument("--storage", default=SweepConfig.storage, help="URL of the studies (%(default)s)")
        sub.set_defaults(work=work)
        if verb == "export":
            sub.add_argument(
                "--trial",
                type=int,
                help="number of a trial of STUDY, or of the second phase STUDY.final; default: "
                "of the latest phase the best one in the first objective",
            )
            text = f"the file, in a folder named {PRESETS}; default: conf/{PRESETS}/STUDY_TRIAL.yaml"
            sub.add_argument("--output", type=Path, help=text)
        if verb == "report":
            sub.add_argument("--output", type=Path, required=True, help="the folder, e.g. experiments/NAME")
        if verb == "resume":
            sub.add_argument("--workers", type=int, help="processes to start from here; as at first by default")
    return parser


def _show(arguments: argparse.Namespace) -> None:
    if not arguments.study:
        _list(arguments.storage)
        return
    console = Console()
    for study in open_phases(arguments.storage, arguments.study):
        found = results(study)
        console.print(f"{printable(study.name)}: {progress_line(study, found)}", highlight=False, markup=False)
        if reason := study.attribute(STOPPED):
            console.print(f"stopped: {reason}", highlight=False, markup=False)
        shown = best(found)
        lines = figures(shown, list(study.plan.settings.objectives))
        failures = Counter(r.reason for r in found if r.outcome == "failed")
        for reason, count in failures.most_common(REASONS):
            console.print(f"failed {count} times: {reason}", highlight=False, markup=False)
        if len(lines) > 1:
            # Parameters are too long for a column of a terminal.
            console.print(_table([line[:-1] for line in lines]))
        if common := shared(shown):
            console.print(f"all: {' '.join(common)}", highlight=False, markup=False)
        for trial, *_, parameters in lines[1:]:
            console.print(f"{trial}: {parameters}", highlight=False, markup=False)


def _list(url: str) -> None:
    table = Table("study", "trials", "begun")
    for summary in open_storage(url).get_all_studies():
        if PLAN in summary.user_attrs:
            study = SweepStudy.open(url, summary.study_name)
            found = results(study)
            begun = min((r.started for r in found if r.started), default=None)
            done = sum(map(counts, study.trials()))
            table.add_row(
                escape(printable(study.name)),
                f"{done} of {study.attribute(TOTAL) or study.plan.settings.trials}",
                f"{begun:%Y-%m-%d %H:%M}" if begun else "",
            )
    Console().print(table)


def _table(lines: Sequence[Sequence[str]]) -> Table:
    heading, *rest = lines
    table = Table(title="best trials", title_justify="left")
    for column in heading:
        table.add_column(escape(column), overflow="fold")
    for line in rest:
        table.add_row(*map(escape, line))
    return table


def _resume(arguments: argparse.Namespace) -> None:
    name = first_phase(arguments.study)
    plan = SweepStudy.open(arguments.storage, name).plan
    workers = arguments.workers or plan.settings.workers
    settings = replace(plan.settings, storage=arguments.storage, workers=workers)
    Coordinator(replace(plan, settings=settings), name).run()


def _report(arguments: argparse.Namespace) -> None:
    phases = open_phases(arguments.storage, arguments.study)
    files = sweep_files(phases)
    for name, content in {PAGE: page(phases, list(files)), **files}.items():
        path = arguments.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        else:
            content.savefig(path, dpi=DPI)
    print(f"wrote {arguments.output}/{PAGE} and what it shows")


def _export(arguments: argparse.Namespace) -> None:
    study, chosen = _chosen(arguments.storage, arguments.study, arguments.trial)
    default = f"{study.name}_{chosen.number}.yaml".replace(".final", "_final")
    path: Path = arguments.output or Path("conf", PRESETS, file_name(default))
    folder = path.resolve().parent
    if folder.name != PRESETS:
        raise ConfigError(f"--output {path}: presets are found in a folder {PRESETS}; give {PRESETS}/{path.name}")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(experiment_yaml(study.plan, chosen, study.name, _threads(study, chosen)))
    ours = folder.parent == Path(conf_dir()).resolve()
    words = [*([] if ours else ["--config-dir", str(folder.parent)]), f"+{PRESETS}={override_value(path.stem)}"]
    print(f"wrote {path}; run it with: {shell_command(['python', '-m', 'maxexp', *words])}")


def _threads(study: SweepStudy, chosen: Result) -> int | None:
    """Returns the CPU threads of a trial, from its run."""
    if not chosen.run_id:
        return None
    return read_run(open_store(study.plan.compose_first().tracking), chosen.run_id).threads


def _chosen(url: str, name: str, number: int | None) -> tuple[SweepStudy, Result]:
    """The trial of this number, or the best one of the latest phase that has any."""
    if number is not None:
        study = SweepStudy.open(url, name)
        return study, _numbered(study, number)
    for study in reversed(open_phases(url, name)):
        if front := pareto_set(results(study)):
            return study, _numbered(study, front[0].number)
    raise ConfigError(f"study {name} has no complete trial yet; give --trial NUMBER")


def _numbered(study: SweepStudy, number: int) -> Result:
    for result in results(study):
        if result.number == number and result.params:
            return result
    raise ConfigError(f"study {study.name} has no trial {number}")
