"""A comparison in the terminal: as much of it as there is room for, none of it cut."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from maxexp.base.metrics import Metric
from maxexp.chip.metrics import LATENCY, WEIGHT_MEMORY
from maxexp.compare.lines import broken, longest_piece
from maxexp.compare.text import LEGEND, MISSING, hardware_source, number, quantization
from maxexp.report.comparison.collect import RunDetails
from maxexp.report.comparison.comparison import Comparison, status
from maxexp.report.comparison.differences import setting
from maxexp.tracking.metrics import MAIN

SHORT_ID = 8
"""Characters of a run's id for which a terminal has room; Markdown and CSV have all."""
NAMED_RUNS = 4
"""Up to so many runs of one value are named."""
GAP = 2
"""Between columns."""


@dataclass(frozen=True)
class Column:
    """One cell for each run; the words of the label, and the unit, stand below one another over them."""

    label: str
    cells: Sequence[Text]
    unit: str = ""

    @property
    def heading(self) -> str:
        unit = [f"[{self.unit}]"] if self.unit else []
        return "\n".join([*self.label.replace(",", "").split(), *unit])

    @property
    def width(self) -> int:
        return max(map(len, [*self.heading.split("\n"), *(cell.plain for cell in self.cells)]))


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Prints the main figures, in what the runs differ, and the notes."""
    names = [_name_and_state(details) for details in comparison.runs]
    columns, shared = _columns(comparison)
    # Figures need room more than names, which may take several lines.
    room = console.width - min(max(map(len, names)), max(longest_piece(names), console.width // 3))
    shown, left_out = [], []
    for column in columns:
        if GAP + column.width <= room:
            room -= GAP + column.width
            shown.append(column)
        else:
            left_out.append(column)
    table = _table(f"{len(names)} run{'s' if len(names) > 1 else ''}")
    table.add_column("run", no_wrap=True)
    for column in shown:
        table.add_column(Text(column.heading), justify="right" if column.unit else "left", no_wrap=True)
    widest = console.width - sum(GAP + column.width for column in shown)
    for row, name in enumerate(names):
        table.add_row(Text(broken(name, widest)), *(column.cells[row] for column in shown))
    console.print(table)
    console.print(" ".join([LEGEND, *shared]), style="italic", markup=False)
    if left_out:
        labels = "; ".join(column.label for column in left_out)
        console.print(f"Left out at {console.width} columns, the files in --out have them: {labels}.", style="italic")
    if comparison.differing:
        console.print()
        console.print(_differences(comparison, console.width))
    for note in comparison.notes:
        console.print(note, markup=False, soft_wrap=True)


def _name_and_state(details: RunDetails) -> str:
    state = status(details)
    return details.run.name if state == "finished" else f"{details.run.name} ({state})"


def _columns(comparison: Comparison) -> tuple[list[Column], list[str]]:
    """Columns behind the name, the most important first; sentences on what all runs share."""
    runs, telling, shared = comparison.runs, [], []
    for label, text_of in (("quantization", quantization), ("hardware figures", hardware_source)):
        texts = [text_of(details) for details in runs]
        known = set(texts) - {MISSING}
        if len(known) > 1:
            telling.append(Column(label, [Text(text) for text in texts]))
        elif known:
            shared.append(f"{label.capitalize()}: {known.pop()}.")
    judging = dict.fromkeys((comparison.accuracy, LATENCY, WEIGHT_MEMORY))
    ids = Column("id", [Text(details.run.run_id[:SHORT_ID]) for details in runs])
    others = [metric for metric in MAIN if metric not in judging]
    return [*_figures(comparison, judging), ids, *telling, *_figures(comparison, others)], shared


def _figures(comparison: Comparison, metrics: Iterable[Metric]) -> list[Column]:
    return [
        Column(
            metric.label,
            [Text.from_markup(number(comparison, metric, details, "[bold]{}[/]")) for details in comparison.runs],
            metric.form.unit,
        )
        for metric in metrics
        if metric in comparison.metrics
    ]


def _differences(comparison: Comparison, width: int) -> Table:
    """Each key that runs differ in, with the runs of each value, or how many those are."""
    rows: list[tuple[str, str, str]] = []
    for key in comparison.differing:
        runs: dict[str, list[str]] = defaultdict(list)
        for details in comparison.runs:
            runs[setting(key, details.run.params)].append(details.run.name)
        for index, (value, names) in enumerate(runs.items()):
            which = ", ".join(names) if len(names) <= NAMED_RUNS else f"{len(names)} runs"
            rows.append(("" if index else key, value, which))
    # Values are what one looks for: they are broken last, keys first.
    keys, values, named = zip(*rows, strict=True)
    for_values = min(max(map(len, ("value", *values))), width // 2)
    for_names = min(max(map(len, named)), max(longest_piece(named), width // 5))
    for_keys = min(max(map(len, keys)), max(longest_piece(keys), width - for_values - for_names - 2 * GAP))
    table = _table("differences in configuration")
    table.add_column("key", no_wrap=True)
    table.add_column("value", width=for_values, overflow="fold")
    table.add_column("runs", overflow="fold")
    rest = width - for_keys - for_values - 2 * GAP
    for key, value, which in rows:
        table.add_row(Text(broken(key, for_keys)), Text(broken(value, for_values)), Text(broken(which, rest)))
    return table


def _table(title: str) -> Table:
    gap = (0, GAP - 1, 0, 0)
    return Table(
        title=title,
        title_justify="left",
        min_width=len(title),
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=gap,
    )
