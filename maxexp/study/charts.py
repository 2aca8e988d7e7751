"""The pictures of a study."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from maxexp.report.figures.bars import Bar, bars
from maxexp.report.figures.scatter import Point, scatter
from maxexp.study.description import Chart, Study
from maxexp.study.figures import Row, Rows, noise, weakest
from maxexp.study.markdown import MARKS, differences


def drawable(study: Study, rows: Rows) -> list[str]:
    """Returns the names of the charts for which at least one of our own rows has its figures."""
    return [key for key, chart in study.charts.items() if any(not row.origin for row in _shown(chart, rows))]


def draw(study: Study, chart: Chart, rows: Rows) -> Figure:
    """One chart."""
    shown = _shown(chart, rows)
    if chart.y is None:
        column = study.columns[chart.x]
        found = noise(rows, study.judged) if study.judged and column.form == differences(study) else None
        chance = found.resolution * _scale(study, chart.x) if found else 0
        return bars(chart.title, _label(study, chart.x, shown), [_bar(study, row, chart.x) for row in shown], chance)
    points = [_point(study, chart, chart.y, row) for row in shown]
    x, y, area = (_label(study, key, shown) if key else "" for key in (chart.x, chart.y, chart.area))
    return scatter(chart.title, x, y, area, points)


def _shown(chart: Chart, rows: Rows) -> list[Row]:
    """Rows that have the figures."""
    wanted = rows.values() if chart.rows is None else [rows[name] for name in chart.rows]
    keys = [chart.x, *([chart.y] if chart.y else [])]
    return [row for row in wanted if all(isinstance(row.cells[key].value, (int, float)) for key in keys)]


def _bar(study: Study, row: Row, x: str) -> Bar:
    seeds = [value * _scale(study, x) for value in row.cells[x].seeds.values()]
    return Bar(row.label, _scaled(study, row, x), seeds, published=bool(row.origin))


def _point(study: Study, chart: Chart, y: str, row: Row) -> Point:
    spread = row.cells[y].spread
    area = chart.area if chart.area and isinstance(row.cells[chart.area].value, (int, float)) else None
    return Point(
        row.label,
        _scaled(study, row, chart.x),
        _scaled(study, row, y),
        size=_scaled(study, row, area) if area else None,
        error=None if spread is None else spread * _scale(study, y),
        published=bool(row.origin),
    )


def _scaled(study: Study, row: Row, key: str) -> float:
    return row.cells[key].value * _scale(study, key)


def _scale(study: Study, key: str) -> float:
    form = study.columns[key].form
    return form.scale if form else 1.0


def _label(study: Study, key: str, shown: Sequence[Row]) -> str:
    """Returns the name and unit of a column, and where our own figures of it come from unless they are plain
    counts."""
    column = study.columns[key]
    text = column.form.heading(column.label) if column.form else column.label
    source = weakest(row.cells[key].source for row in shown if not row.origin and row.cells[key].value is not None)
    published = any(row.origin for row in shown)
    return f"{text}{', ours' if published else ','} {source}" if source in MARKS else text
