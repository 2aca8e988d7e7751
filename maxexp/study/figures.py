"""The figures of a study: one row for each entry and reference, one value for each column."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maxexp.study.description import CHANCE, Column, Finding, Study
from maxexp.study.expression import Expression, FigureError
from maxexp.study.records import Result
from maxexp.tracking.artifacts import FLOAT_BEST
from maxexp.tracking.metrics import METRICS
from maxexp.training.metrics import EPOCHS, QAT_EPOCH

PUBLISHED = "published"
SOURCES = ("estimated", "synthesized", "emulated", "measured", PUBLISHED, "counted", "computed")
"""Where figures come from, the weakest first: a figure made of others has the source of the weakest."""


@dataclass(frozen=True)
class Figure:
    """One cell.

    Attributes:
        value: mean over the seeds; None where there is none.
        spread: sample standard deviation over the seeds; None for a single one.
        source: one of SOURCES.
        seeds: value by seed.
    """

    value: Any = None
    spread: float | None = None
    source: str = "computed"
    seeds: Mapping[int, Any] = field(default_factory=dict)

    def at(self, seed: int | None) -> Any:
        """The value of one seed, else the mean."""
        return self.value if seed is None else self.seeds.get(seed, self.value)


@dataclass(frozen=True)
class Row:
    """One row of the table, with the runs behind it.

    Attributes:
        origin: who published it; empty for our own.
        states: by seed, what became of runs without a result, e.g. ``running``.
    """

    name: str
    label: str
    cells: Mapping[str, Figure]
    results: Sequence[Result] = ()
    origin: str = ""
    states: Mapping[int, str] = field(default_factory=dict)


Rows = Mapping[str, Row]
"""All rows of a study by name."""


def make_rows(study: Study, results: Iterable[Result], states: Mapping[tuple[str, int], str]) -> Rows:
    """All rows of a study in the order of its table.

    Args:
        states: by entry and seed, of runs without a result.
    """
    rows: dict[str, Row] = {}
    for name, reference in study.references.items():
        cells = {key: Figure(reference.values.get(key), source=PUBLISHED) for key in study.columns}
        rows[name] = Row(name, reference.label, cells, origin=reference.source)
    found = list(results)
    for name, entry in study.entries.items():
        mine = [_with_training(study, result, found) for result in found if result.entry == name]
        cells = {key: _recorded(column, mine) for key, column in study.columns.items()}
        unfinished = {seed: state for (row, seed), state in states.items() if row == name}
        rows[name] = Row(name, entry.label, cells, mine, states=unfinished)
    _add_formulas(study, rows)
    return {name: rows[name] for name in [*(study.rows or ()), *rows]}


def _with_training(study: Study, result: Result, found: Sequence[Result]) -> Result:
    """A result with the epochs behind its weights: a run that starts from another's may have trained none itself."""
    entry = study.entries[result.entry]
    start = next((r for r in found if (r.entry, r.seed) == (entry.starts_from, result.seed)), None)
    if start is None or EPOCHS.key in result.metrics:
        return result
    trained = _with_training(study, start, found).metrics
    key = QAT_EPOCH.key if entry.artifact == FLOAT_BEST and QAT_EPOCH.key in trained else EPOCHS.key
    return replace(result, metrics={**result.metrics, EPOCHS.key: trained[key]}) if key in trained else result


def _recorded(column: Column, results: Sequence[Result]) -> Figure:
    if column.tag is not None:
        texts = sorted({result.tags[column.tag] for result in results if column.tag in result.tags})
        return Figure(", ".join(texts) or None)
    for metric in filter(None, (column.metric, column.otherwise)):
        values = {result.seed: result.metrics[metric] for result in results if metric in result.metrics}
        if values:
            return _over_seeds(values, weakest(_source(metric, result) for result in results))
    return Figure()


def _source(metric: str, result: Result) -> str:
    return METRICS[metric].source(result.tags) if metric in METRICS else "computed"


def weakest(sources: Iterable[str]) -> str:
    """Returns what a figure made of figures of these sources counts as."""
    return min(sources, key=SOURCES.index, default="computed")


def _over_seeds(values: Mapping[int, Any], source: str) -> Figure:
    spread = statistics.stdev(values.values()) if len(values) > 1 else None
    return Figure(statistics.fmean(values.values()), spread, source, values)


def _add_formulas(study: Study, rows: dict[str, Row]) -> None:
    """Fills in the columns that are computed from others; published values stay."""
    for key, column in study.columns.items():
        if column.formula is None:
            continue
        expression = Expression(column.formula, f"columns.{key}.formula")
        for name, row in rows.items():
            if row.cells[key].value is None:
                rows[name] = replace(row, cells={**row.cells, key: _computed(expression, row, rows)})


def _computed(expression: Expression, row: Row, rows: Rows) -> Figure:
    """The formula seed by seed: runs of one seed share images and first weights, so differences are of pairs."""
    if row.origin:
        return Figure(_value(expression, row, rows, None))  # made of what was published, not published itself
    used = [row.cells[name] for name in expression.names]
    used += [rows[other].cells[column] for other, column in expression.attributes]
    values = {result.seed: _value(expression, row, rows, result.seed) for result in row.results}
    known = {seed: value for seed, value in values.items() if value is not None}
    return _over_seeds(known, weakest(figure.source for figure in used)) if known else Figure()


def _value(expression: Expression, row: Row, rows: Rows, seed: int | None) -> float | None:
    own = {key: figure.at(seed) for key, figure in row.cells.items()}
    try:
        return expression.value(own, plain(rows, seed))
    except FigureError:
        return None


def plain(rows: Rows, seed: int | None = None) -> dict[str, dict[str, Any]]:
    """Values by row and column: means, or those of one seed."""
    return {name: {key: figure.at(seed) for key, figure in row.cells.items()} for name, row in rows.items()}


def verdict(finding: Finding, rows: Rows, chance: float | None = None) -> str:
    """Returns ``confirmed`` or ``refuted`` by the means, with a word if single seeds say otherwise or are missing.

    Else ``open``, with the reason; so is a check that holds with ``chance`` on its side and fails against it.

    Args:
        chance: what a check means by this word; None: there are no rows of several seeds to tell it.
    """
    expression = Expression(finding.check, "findings")
    seeds = {result.seed for row in rows.values() for result in row.results}
    try:
        known = {CHANCE: chance}
        holds = bool(expression.value(known, plain(rows)))
        each = {bool(expression.value(known, plain(rows, seed))) for seed in seeds}
        if chance and not holds and expression.value({CHANCE: -chance}, plain(rows)):
            return "open, the difference may be chance"
    except FigureError as error:
        return f"open, {error}"
    word = "confirmed" if holds else "refuted"
    if any(rows[name].states for name, _ in expression.attributes):
        word += " so far, runs are missing"
    return word if each <= {holds} else f"{word} on average, not by every seed"


@dataclass(frozen=True)
class Noise:
    """How far runs that differ in their seed only are apart.

    Attributes:
        deviation: standard deviation, pooled over the rows with several seeds.
        rows: how many these are.
        seeds: of the row with the fewest.
    """

    deviation: float
    rows: int
    seeds: int

    @property
    def resolution(self) -> float:
        """Two standard errors of the difference of two rows' means: less may well be chance."""
        return 2 * self.deviation * (2 / self.seeds) ** 0.5


def noise(rows: Rows, key: str) -> Noise | None:
    """Returns the noise of a column; None without rows of several seeds."""
    several = [row.cells[key] for row in rows.values() if row.cells[key].spread is not None]
    freedom = sum(len(figure.seeds) - 1 for figure in several)
    if not freedom:
        return None
    squares = sum((len(figure.seeds) - 1) * (figure.spread or 0) ** 2 for figure in several)
    return Noise((squares / freedom) ** 0.5, len(several), min(len(figure.seeds) for figure in several))
