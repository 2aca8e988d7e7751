"""``python -m maxexp.compare [RUN_ID ...] [--filter QUERY]``: runs beside one another."""

import argparse
import logging
import sys
from pathlib import Path

from rich.console import Console

from maxexp.base.exit_codes import exit_code
from maxexp.cli.program import called
from maxexp.compare.terminal import print_comparison
from maxexp.compare.text import to_csv, to_markdown
from maxexp.report.comparison.collect import collect_all, select_runs
from maxexp.report.comparison.comparison import compare
from maxexp.report.page.page import to_html
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.store import open_store


def main() -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    return exit_code("maxexp", lambda: _compare(arguments))


def _compare(arguments: argparse.Namespace) -> None:
    query = arguments.filter
    if query is None and not arguments.runs:
        query = ""
    store = open_store(TrackingConfig(uri=arguments.tracking_uri), existing=True)
    runs, notes = select_runs(store, arguments.runs, query)
    comparison = compare(collect_all(runs), notes)
    chosen = ", ".join([*(run_id[:8] for run_id in arguments.runs), *([query] if query else [])]) or "all"
    title = arguments.title or f"Comparison of {len(runs)} run{'s' if len(runs) > 1 else ''}"
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    texts = {
        "comparison.html": to_html(comparison, title, f"Store {store}; runs: {chosen}."),
        "comparison.md": to_markdown(comparison),
        "comparison.csv": to_csv(comparison),
    }
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    print_comparison(comparison, Console())
    print("written: " + ", ".join(str(out / name) for name in texts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=called("compare"),
        description="Runs beside one another: a table here, Markdown, CSV and a page in a folder.",
    )
    text = "runs to compare, by their ids or how these begin (default: all that --filter finds)"
    parser.add_argument("runs", nargs="*", metavar="RUN_ID", help=text)
    parser.add_argument(
        "--filter",
        metavar="QUERY",
        help="MLflow's search syntax, e.g. \"tags.model = 'nascifarnet' and metrics.`hw/latency_us` < 5000\"",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("comparison"), help="folder for the files (default: %(default)s)"
    )
    parser.add_argument("--title", help="title of the page")
    parser.add_argument("--tracking-uri", help="tracking store (default: as for python -m maxexp)")
    return parser
