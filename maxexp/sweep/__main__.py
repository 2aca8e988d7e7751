"""Looks at sweeps and goes on with them: ``python -m maxexp.sweep show|resume|report|export STUDY``."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from maxexp.errors import ConfigError, MaxexpError
from maxexp.sweep.config import SweepConfig
from maxexp.sweep.coordinator import Coordinator
from maxexp.sweep.export import experiment_yaml
from maxexp.sweep.record import OUTCOMES, report, row
from maxexp.sweep.results import Result, pareto_set, results
from maxexp.sweep.storage import open_storage
from maxexp.sweep.study import FINAL_SUFFIX, PLAN, STOPPED, TOTAL, SweepStudy
from maxexp.sweep.worker import OVERHEAD


def main() -> None:
    """Entry point; errors of the user are one line and exit code 1."""
    parser = _parser()
    arguments = parser.parse_args()
    try:
        arguments.work(arguments)
    except MaxexpError as error:
        print(f"maxexp: error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m maxexp.sweep", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, work, text in (
        ("show", _show, "progress, time left, best trials and Pareto set; without STUDY: all studies"),
        ("resume", _resume, "go on with a study"),
        ("report", _report, "write tables and pictures into a folder"),
        ("export", _export, "write a trial as conf/experiment/NAME.yaml"),
    ):
        sub = verbs.add_parser(verb, help=text, description=text)
        sub.add_argument("study", nargs="?" if verb == "show" else None)
        sub.add_argument("--storage", default=SweepConfig.storage, help="URL of the studies (%(default)s)")
        sub.set_defaults(work=work)
        if verb == "export":
            sub.add_argument("--trial", type=int, help="its number; the best in the first objective by default")
            sub.add_argument("--output", type=Path, help="the file; default: conf/experiment/STUDY_TRIAL.yaml")
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
    studies = [SweepStudy.open(arguments.storage, arguments.study)]
    names = {s.study_name for s in studies[0].storage.get_all_studies()}
    if arguments.study + FINAL_SUFFIX in names:
        studies.append(SweepStudy.open(arguments.storage, arguments.study + FINAL_SUFFIX))
    for study in studies:
        found = results(study)
        console.print(f"{study.name}: {progress_line(study, found)}", highlight=False)
        if reason := study.attribute(STOPPED):
            console.print(f"stopped: {reason}", highlight=False)
        console.print(_table(pareto_set(found), list(study.plan.settings.objectives)))


def progress_line(study: SweepStudy, found: list[Result]) -> str:
    """How many trials there are of each kind, the time left, and what the sweep itself costs."""
    total = study.attribute(TOTAL) or study.plan.settings.trials
    done = sum(r.outcome in OUTCOMES and r.outcome != "failed" for r in found)
    kinds = [f"{n} {o}" for o in (*OUTCOMES, "running") if (n := sum(r.outcome == o for r in found))]
    parts = [f"{done} of {total} trials ({', '.join(kinds) or 'none begun'})"]
    if left := time_left(found, total - done, datetime.now()):
        parts.append(f"about {left} left")
    overheads = [t.user_attrs[OVERHEAD] for t in study.trials() if OVERHEAD in t.user_attrs]
    if overheads:
        parts.append(f"the sweep itself takes {median(overheads):.2f} s per trial")
    return "; ".join(parts)


def time_left(found: list[Result], missing: int, now: datetime) -> timedelta | None:
    """Estimate from the mean duration of finished trials and those that run now; None where nothing can be said."""
    seconds = [r.seconds for r in found if r.seconds is not None and r.outcome in OUTCOMES]
    running = [r for r in found if r.outcome == "running"]
    if not seconds or missing <= 0 or not running:
        return None
    mean = sum(seconds) / len(seconds)
    spent = sum(min((now - r.started).total_seconds(), mean) for r in running if r.started)
    return timedelta(seconds=round(max(missing * mean - spent, 0.0) / len(running)))


def _list(url: str) -> None:
    table = Table("study", "trials", "begun")
    for summary in open_storage(url).get_all_studies():
        if PLAN in summary.user_attrs:
            study = SweepStudy.open(url, summary.study_name)
            found = results(study)
            begun = min((r.started for r in found if r.started), default=None)
            done = sum(r.ended is not None for r in found)
            table.add_row(
                study.name, f"{done} of {study.attribute(TOTAL)}", f"{begun:%Y-%m-%d %H:%M}" if begun else ""
            )
    Console().print(table)


def _table(front: list[Result], objectives: list[str]) -> Table:
    further = dict.fromkeys(name for result in front for name in (*result.tested, *result.params))
    columns = ["trial", *dict.fromkeys([*objectives, *further])]
    table = Table(title="Pareto set", title_justify="left")
    for column in columns:
        table.add_column(column.removeprefix("model.layers."), overflow="fold")
    for result in front:
        cells = row(result)
        table.add_row(*(_cell(cells.get(column)) for column in columns))
    return table


def _resume(arguments: argparse.Namespace) -> None:
    from dataclasses import replace

    plan = SweepStudy.open(arguments.storage, arguments.study).plan
    changes = {"storage": arguments.storage} | ({"workers": arguments.workers} if arguments.workers else {})
    Coordinator(replace(plan, settings=replace(plan.settings, **changes)), arguments.study).run()


def _report(arguments: argparse.Namespace) -> None:
    arguments.output.mkdir(parents=True, exist_ok=True)
    study = SweepStudy.open(arguments.storage, arguments.study)
    files = report(study)
    files["README.md"] = _readme(study, files)
    for name, content in files.items():
        path = arguments.output / name
        if isinstance(content, str):
            path.write_text(content)
        else:
            content.savefig(path, dpi=110)
    print(f"wrote {arguments.output}/")


def _readme(study: SweepStudy, files: Mapping[str, object]) -> str:
    """The page of a report: how it was made, the Pareto set, the pictures."""
    command = " ".join(["python -m maxexp -m", *map(shlex.quote, study.plan.command)])
    pictures = [f"![{Path(name).stem.replace('_', ' ')}]({name})" for name in files if name.endswith(".png")]
    text = [f"# Sweep {study.name}", f"```sh\n{command}\n```", f"{progress_line(study, results(study))}."]
    return "\n\n".join([*text, str(files["pareto.md"]), *pictures]) + "\n"


def _export(arguments: argparse.Namespace) -> None:
    study = SweepStudy.open(arguments.storage, arguments.study)
    found = results(study)
    front = pareto_set(found)
    if arguments.trial is None and not front:
        raise ConfigError(f"study {study.name} has no complete trial yet; give --trial NUMBER")
    chosen = [r for r in found if r.number == arguments.trial] if arguments.trial is not None else front[:1]
    if not chosen or not chosen[0].params:
        raise ConfigError(f"study {study.name} has no trial {arguments.trial}")
    default = f"{study.name}_{chosen[0].number}.yaml".replace(".final", "_final")
    path = arguments.output or Path("conf/experiment") / default
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(experiment_yaml(study.plan, chosen[0], study.name))
    print(f"wrote {path}; run it with: python -m maxexp +experiment={path.stem}")


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
