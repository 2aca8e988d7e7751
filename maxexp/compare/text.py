"""A comparison in the terminal, as Markdown and as CSV."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from maxexp.compare.collect import RunDetails
from maxexp.compare.comparison import MAIN, Comparison, status
from maxexp.compare.differences import ABSENT
from maxexp.report.quantities import Quantity

MISSING = "–"
FIXED = ("run", "id", "status", "data", "quantization", "hardware figures")
LEGEND = f"Bold: best on its data. {MISSING}: not recorded."
SHORT_ID = 8
"""Characters of a run's id for which a terminal has room; Markdown and CSV have all."""
NAMED_RUNS = 4
"""Up to so many runs of one value are named in the terminal."""


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the main figures, for which a terminal has room, in what the runs differ, and the notes."""
    quantities = [quantity for quantity in comparison.quantities if quantity in (comparison.accuracy, *MAIN)]
    title = f"{len(comparison.runs)} run{'s' if len(comparison.runs) > 1 else ''}"
    sources = sorted({_source(details) for details in comparison.runs} - {MISSING})
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("run", overflow="fold", min_width=18)
    table.add_column("id", no_wrap=True)
    for quantity in quantities:
        heading = "\n".join(quantity.heading.replace(",", "").split())
        table.add_column(Text(heading), justify="right", no_wrap=True)
    if len(sources) > 1:
        table.add_column("hardware\nfigures", no_wrap=True)
    for details in comparison.runs:
        numbers = _numbers(comparison, quantities, details, "[bold]{}[/]")
        state = status(details)
        name = details.run.name if state == "finished" else f"{details.run.name} ({state})"
        known = [Text(name), Text(details.run.run_id[:SHORT_ID])]
        table.add_row(*known, *numbers, *([Text(_source(details))] if len(sources) > 1 else []))
    console.print(table)
    console.print(LEGEND + (f" Hardware figures are {sources[0]}." if len(sources) == 1 else ""), style="italic")
    if comparison.differing:
        console.print(_differences(comparison))
    for note in comparison.notes:
        console.print(note, markup=False, soft_wrap=True)


def _differences(comparison: Comparison) -> Table:
    """Each key that runs differ in, with the runs of each value, or how many those are."""
    table = Table(title="differences in configuration", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("key", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("runs", overflow="fold")
    for key in comparison.differing:
        runs = defaultdict(list)
        for details in comparison.runs:
            runs[details.run.params.get(key, ABSENT)].append(details.run.name)
        for index, (value, names) in enumerate(runs.items()):
            named = ", ".join(names) if len(names) <= NAMED_RUNS else f"{len(names)} runs"
            table.add_row("" if index else key, Text(value), Text(named))
    return table


def to_markdown(comparison: Comparison) -> str:
    """All figures, in what the runs differ, and the notes."""
    quantities = comparison.quantities
    lines = [_line([*FIXED, *(q.heading for q in quantities)]), "|--" * len(FIXED) + "|--:" * len(quantities) + "|"]
    for details in comparison.runs:
        lines.append(_line([*_fixed(details), *_numbers(comparison, quantities, details, "**{}**")]))
    lines += ["", LEGEND, ""]
    if comparison.differing:
        lines += [_line(["run", *comparison.differing]), "|--" * (1 + len(comparison.differing)) + "|"]
        for details in comparison.runs:
            values = [details.run.params.get(key, ABSENT) for key in comparison.differing]
            lines.append(_line([details.run.name, *values]))
        lines.append("")
    lines += [f"- {note}" for note in comparison.notes]
    return "\n".join(lines).rstrip() + "\n"


def to_csv(comparison: Comparison) -> str:
    """One line for each run: metrics as recorded under their own names, then the differing configuration."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    tags = ("model", "dataset", "quantization", "weight_bits", "hw.source")
    keys = [quantity.key for quantity in comparison.quantities]
    writer.writerow(["run_id", "name", "status", *tags, *keys, *comparison.differing])
    for details in comparison.runs:
        run = details.run
        figures = [run.metrics.get(key, "") for key in keys]
        values = [run.params.get(key, "") for key in comparison.differing]
        known = [run.tags.get(key, "") for key in tags]
        writer.writerow([run.run_id, run.name, status(details), *known, *figures, *values])
    return text.getvalue()


def _fixed(details: RunDetails) -> list[str]:
    tags = details.run.tags
    bits = f", {tags['weight_bits']} bits" if "weight_bits" in tags else ""
    quantization = tags.get("quantization", MISSING) + bits
    return [details.run.name, details.run.run_id, status(details), details.dataset, quantization, _source(details)]


def _source(details: RunDetails) -> str:
    return details.run.tags.get("hw.source", MISSING)


def _numbers(comparison: Comparison, quantities: Sequence[Quantity], details: RunDetails, emphasis: str) -> list[str]:
    run, cells = details.run, []
    for quantity in quantities:
        text = quantity.text(run.metrics[quantity.key]) if quantity.key in run.metrics else MISSING
        cells.append(emphasis.format(text) if run.run_id in comparison.best[quantity.key] else text)
    return cells


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
