"""The figures of a study: one row for each entry and reference, one value for each column."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maxexp.study.description import Column, Finding, Study
from maxexp.study.expression import Expression, MissingFigureError
from maxexp.study.records import Result

PUBLISHED = "published"


@dataclass(frozen=True)
class Figure:
    """One cell.

    Attributes:
        value: mean over the seeds; None where there is none.
        spread: sample standard deviation over the seeds; None for a single one.
        source: ``published``, ``computed``, or how hardware figures came about (the run's ``hw.source``).
    """

    value: float | str | None
    spread: float | None = None
    source: str = "computed"


@dataclass(frozen=True)
class Row:
    """One row of the table, with the runs behind it."""

    name: str
    label: str
    cells: Mapping[str, Figure]
    results: Sequence[Result] = ()
    wanted: int = 0
    source: str = ""


def make_rows(study: Study, results: Mapping[str, Sequence[Result]]) -> list[Row]:
    """All rows in their order; ``results`` by entry, some or none for those not (wholly) done."""
    rows: dict[str, Row] = {}
    for name, reference in study.references.items():
        cells = {key: Figure(reference.values.get(key), source=PUBLISHED) for key in study.columns}
        rows[name] = Row(name, reference.label, cells, source=reference.source)
    for name, entry in study.entries.items():
        found = results.get(name, ())
        cells = {key: _measured(column, found) for key, column in study.columns.items()}
        rows[name] = Row(name, entry.label, cells, found, len(entry.seeds))
    rows = _with_formulas(study, rows)
    return [rows[name] for name in study.rows or rows]


def _measured(column: Column, results: Sequence[Result]) -> Figure:
    if column.tag is not None:
        texts = sorted({result.tags[column.tag] for result in results if column.tag in result.tags})
        return Figure(", ".join(texts) or None)
    if column.metric is None:
        return Figure(None)
    for metric in (column.metric, column.otherwise):
        found = [result for result in results if metric in result.metrics]
        if found and metric:
            return _mean(metric, found)
    return Figure(None)


def _mean(metric: str, results: Sequence[Result]) -> Figure:
    values = [result.metrics[metric] for result in results]
    sources = {result.tags.get("hw.source", "computed") for result in results}
    source = ", ".join(sorted(sources)) if metric.startswith(("hw/", "board/")) else "computed"
    spread = statistics.stdev(values) if len(values) > 1 else None
    return Figure(statistics.fmean(values), spread, source)


def _with_formulas(study: Study, rows: dict[str, Row]) -> dict[str, Row]:
    """Fill in the columns that are computed from others; published values stay."""
    for key, column in study.columns.items():
        if column.formula is None:
            continue
        expression = Expression(column.formula, f"columns.{key}.formula")
        values = plain(rows.values())
        for name, row in rows.items():
            if row.cells[key].value is None:
                computed = _evaluated(expression, values, name)
                rows[name] = Row(name, row.label, {**row.cells, key: computed}, row.results, row.wanted, row.source)
    return rows


def _evaluated(expression: Expression, values: Mapping[str, Mapping], name: str) -> Figure:
    try:
        return Figure(expression.value(values[name], values), source="computed")
    except (MissingFigureError, ZeroDivisionError):
        return Figure(None)


def plain(rows) -> dict[str, dict[str, float | str | None]]:
    """Values by row and column."""
    return {row.name: {key: figure.value for key, figure in row.cells.items()} for row in rows}


def verdict(finding: Finding, rows: Sequence[Row]) -> str:
    """``confirmed``, ``refuted``, or ``open`` where a figure is still missing."""
    expression = Expression(finding.check, "findings")
    try:
        return "confirmed" if expression.value({}, plain(rows)) else "refuted"
    except MissingFigureError as error:
        return f"open, {error} is missing"
