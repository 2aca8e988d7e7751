"""What a study asks, and which runs answer it: the schema of ``experiments/NAME/study.yaml``."""

from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maxexp.base.errors import ConfigError, FormatError
from maxexp.base.frozen import frozen
from maxexp.base.number_format import (
    COUNT,
    DECIMAL,
    FACTOR,
    HOURS,
    KILOBYTES,
    MILLISECONDS,
    PERCENT,
    POINTS,
    NumberFormat,
)
from maxexp.run.explain import explain
from maxexp.run.typed_files import load_typed
from maxexp.schema.config import Config
from maxexp.study.expression import Expression
from maxexp.tracking.metrics import METRICS, unknown_metric


class Format(Enum):
    """How the values of a column are written."""

    percent = PERCENT
    points = POINTS
    integer = COUNT
    decimal = DECIMAL
    factor = FACTOR
    kilobytes = KILOBYTES
    milliseconds = MILLISECONDS
    hours = HOURS
    text = None


CHANCE = "chance"
"""In the check of a finding: the difference of two rows below which it may well be chance."""


@frozen
@dataclass
class Column:
    """One column of the table.

    Attributes:
        label: its heading.
        metric: key in the run record, e.g. ``test/accuracy_integer``.
        otherwise: metric of runs that lack the former.
        tag: or a tag of the run.
        formula: or an expression over columns of the same row and ``ROW.COLUMN`` of others.
        format: how values are written; default that of the metric, of a tag as it is, of a formula with two decimals.
        hidden: only for formulas, findings and charts.
    """

    label: str
    metric: str | None = None
    otherwise: str | None = None
    tag: str | None = None
    formula: str | None = None
    format: Format | None = None
    hidden: bool = False

    @property
    def form(self) -> NumberFormat | None:
        """Returns how numbers are written; None: values are texts."""
        if self.format is not None:
            return self.format.value
        if self.metric is not None:
            return METRICS[self.metric].form
        return None if self.tag is not None else DECIMAL


@frozen
@dataclass
class Entry:
    """Runs that differ in their seed only: one row.

    Attributes:
        label: of the row.
        overrides: the command line after ``python -m maxexp`` and the study's own, without seed and checkpoint.
        seeds: one run for each; default those of the study.
        starts_from: another entry, whose run of the same seed gives the checkpoint.
        artifact: which file of that run; default what its last phase of training kept.
    """

    label: str
    overrides: list[str] = field(default_factory=list)
    seeds: list[int] | None = None
    starts_from: str | None = None
    artifact: str | None = None


@frozen
@dataclass
class Reference:
    """A published row.

    Attributes:
        label: of the row.
        source: who published it.
        values: by column; what is not given was not published.
    """

    label: str
    source: str
    values: dict[str, Any] = field(default_factory=dict)


@frozen
@dataclass
class Finding:
    """A claim, and the expression over ``ROW.COLUMN`` that decides it."""

    text: str
    check: str


@frozen
@dataclass
class Chart:
    """A picture of two columns over each other, the area of a point by a third; or bars of one column.

    Attributes:
        title: above the picture.
        x: column.
        y: column; bars along x by default.
        area: column; points of one size by default.
        rows: entries and references shown; default all that have the values.
    """

    title: str
    x: str
    y: str | None = None
    area: str | None = None
    rows: list[str] | None = None


@frozen
@dataclass
class Study:
    """A question with everything that answers it; see :func:`read_study`.

    Attributes:
        overrides: what all entries begin with.
        seeds: of entries that have none of their own.
        entries: our runs, by name.
        columns: of the table, by name.
        references: published rows, by name.
        rows: those that come first in the table; references, then entries follow.
        notes: Markdown below the table.
    """

    title: str
    question: str
    entries: dict[str, Entry]
    columns: dict[str, Column]
    overrides: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=lambda: [1])
    references: dict[str, Reference] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    charts: dict[str, Chart] = field(default_factory=dict)
    rows: list[str] | None = None
    notes: str = ""

    def __post_init__(self) -> None:
        rows = [*self.references, *self.entries]
        if len(rows) != len(set(rows)):
            raise ConfigError("references and entries: a name stands for both a reference and an entry")
        _check_known("rows", self.rows or [], rows)
        _check_overrides("overrides", self.overrides)
        for name, entry in self.entries.items():
            self._check_entry(name, entry)
        for name, column in self.columns.items():
            self._check_column(name, column)
        for name, reference in self.references.items():
            _check_known(f"references.{name}.values", list(reference.values), list(self.columns))
        for finding in self.findings:
            self._check_expression("findings", finding.check, [CHANCE])
        for name, chart in self.charts.items():
            used = [column for column in (chart.x, chart.y, chart.area) if column]
            _check_known(f"charts.{name}", used, list(self.columns))
            _check_known(f"charts.{name}.rows", chart.rows or [], rows)

    @property
    def judged(self) -> str | None:
        """The column whose spread says what may be chance: the first score of test or validation images."""
        scores = (name for name, column in self.columns.items() if column.metric and METRICS[column.metric].is_score)
        return next(scores, None)

    def seeds_of(self, name: str) -> list[int]:
        """The seeds of an entry."""
        own = self.entries[name].seeds
        return self.seeds if own is None else own

    def _check_entry(self, name: str, entry: Entry) -> None:
        if not self.seeds_of(name):
            raise ConfigError(f"entries.{name}.seeds is empty: give at least one")
        if entry.starts_from is not None:
            earlier = list(self.entries)[: list(self.entries).index(name)]
            _check_known(f"entries.{name}.starts_from", [entry.starts_from], earlier)
            lacking = set(self.seeds_of(name)) - set(self.seeds_of(entry.starts_from))
            if lacking:
                raise ConfigError(f"entries.{name}.seeds: {min(lacking)} is not among those of {entry.starts_from}")
        _check_overrides(f"entries.{name}.overrides", entry.overrides)

    def _check_column(self, name: str, column: Column) -> None:
        given = [kind for kind in ("metric", "tag", "formula") if getattr(column, kind) is not None]
        if len(given) > 1:
            raise ConfigError(f"columns.{name}: {' and '.join(given)}; a column has one of them")
        for key in ("metric", "otherwise"):
            metric = getattr(column, key)
            if metric is not None and metric not in METRICS:
                raise ConfigError(f"columns.{name}.{key}={metric}: {unknown_metric(metric)}")
        if column.formula is not None:
            earlier = list(self.columns)[: list(self.columns).index(name)]
            self._check_expression(f"columns.{name}.formula", column.formula, earlier)

    def _check_expression(self, key: str, text: str, names: list[str]) -> None:
        expression = Expression(text, key)
        rows = [*self.references, *self.entries]
        for row, column in expression.attributes:
            _check_known(key, [row], rows)
            _check_known(key, [column], list(self.columns))
        _check_known(key, expression.names, names)


def read_study(path: Path) -> Study:
    """Reads and checks a ``study.yaml``.

    Raises:
        ConfigError: it is missing, or an entry is unknown, of the wrong type or impossible; names the key.
    """
    if not path.is_file():
        known = sorted(p.parent.name for p in path.parent.parent.glob("*/study.yaml"))
        raise ConfigError(f"{path}: no such study; there are: {', '.join(known) or 'none'}")
    try:
        content = load_typed(path, Study)
        if not isinstance(content, DictConfig):
            raise FormatError("it is no mapping with a title, a question, entries and columns")
        unknown = [str(key) for key in content if key not in {f.name for f in fields(Study)}]
        if unknown:
            _check_known(str(path), unknown, [f.name for f in fields(Study)])
        study: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Study), content))
    except FormatError as error:
        raise ConfigError(f"{path}: {error}; mend the file") from error
    except OmegaConfBaseException as error:
        raise ConfigError(f"{path}: {explain(error, Config)}") from error
    except (ValueError, TypeError, AttributeError, AssertionError, LookupError, RecursionError) as error:
        # Of what OmegaConf cannot make of keys and values of other types.
        raise ConfigError(f"{path}: its keys or values are not of a study: {' '.join(str(error).split())}") from error
    return study


def _check_known(key: str, names: list[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"{key}: no {name}; there are: {', '.join(known) or 'none'}")


def _check_overrides(key: str, overrides: list[str]) -> None:
    for text in overrides:
        if text.split("=")[0] in ("seed", "checkpoint"):
            raise ConfigError(f"{key}: {text} belongs into seeds or starts_from")
