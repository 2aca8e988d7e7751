"""The answer of a study: files beside its ``study.yaml``, and the same as artifacts of a run of its own."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from maxexp.report.scatter import Point, scatter
from maxexp.study.description import Chart, Format, Study
from maxexp.study.execute import done
from maxexp.study.figures import Row, make_rows
from maxexp.study.markdown import SCALES, UNITS, results_markdown
from maxexp.study.records import Result, Results
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.record import RunRecord
from maxexp.tracking.store import Store

TABLE = "results.md"
EXPERIMENT = "studies"
"""MLflow experiment of the runs that hold the answers."""
DPI = 200


def write_report(name: str, study: Study, results: Results, store: Store, folder: Path) -> str:
    """Write ``results.md`` and the pictures, and log them with ``results.json`` to a run of the study.

    Returns:
        The content of ``results.md``.
    """
    rows = make_rows(study, collect(study, results, store))
    pictures = []
    for key, chart in study.charts.items():
        figure = _draw(study, chart, rows)
        for path in (folder / f"{key}.png", folder / f"{key}.svg"):
            figure.savefig(path, dpi=DPI)
            pictures.append(path)
    text = results_markdown(name, study, rows, [path.name for path in pictures if path.suffix == ".png"])
    (folder / TABLE).write_text(text)
    with RunRecord.start(
        TrackingConfig(store.uri, EXPERIMENT, system_metrics=False), name, {"study": name}
    ) as record:
        record.describe(text)
        for path in (folder / TABLE, *results.files, *pictures):
            record.log_artifact(path)
    return text


def collect(study: Study, results: Results, store: Store) -> dict[str, list[Result]]:
    """Finished runs by entry."""
    found: dict[str, list[Result]] = {}
    for name, entry in study.entries.items():
        answers = [done(study, name, seed, results, store) for seed in entry.seeds]
        found[name] = [answer for answer in answers if answer is not None]
    return found


def _draw(study: Study, chart: Chart, rows: Sequence[Row]) -> Figure:
    size_label = study.columns[chart.area].label if chart.area else ""
    points = _points(study, chart, rows)
    return scatter(chart.title, _label(study, chart.x), _label(study, chart.y), points, size_label)


def _points(study: Study, chart: Chart, rows: Sequence[Row]) -> list[Point]:
    points = []
    for row in rows:
        x, y = (_scaled(study, row, key) for key in (chart.x, chart.y))
        if x is None or y is None or (chart.rows and row.name not in chart.rows):
            continue
        spread = row.cells[chart.y].spread
        error = None if spread is None else spread * SCALES.get(study.columns[chart.y].format, 1.0)
        size = _scaled(study, row, chart.area) if chart.area else None
        points.append(Point(row.label, x, y, size, error, published=not row.wanted))
    return points


def _scaled(study: Study, row: Row, key: str) -> float | None:
    value = row.cells[key].value
    return value * SCALES.get(study.columns[key].format, 1.0) if isinstance(value, (int, float)) else None


def _label(study: Study, key: str) -> str:
    column = study.columns[key]
    unit = UNITS.get(column.format, "").strip()
    return f"{column.label} [{unit}]" if unit and column.format is not Format.factor else column.label
