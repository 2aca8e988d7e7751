"""The answer of a study: files beside its ``study.yaml``, and the same as artifacts of a run of its own."""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from maxexp.base.languages.file_name import file_name
from maxexp.study.charts import draw, drawable
from maxexp.study.description import Study
from maxexp.study.execute import State, standings
from maxexp.study.figures import make_rows
from maxexp.study.markdown import results_markdown
from maxexp.study.records import Results, deleted
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.record import RunRecord
from maxexp.tracking.store import Store

TABLE = "results.md"
EXPERIMENT = "studies"
"""MLflow experiment of the runs that hold the answers."""
DPI = 200


def write_report(name: str, study: Study, results: Results, store: Store, folder: Path) -> str:
    """Writes ``results.md`` and the pictures, and logs them with ``results.json`` to a run of the study.

    Returns:
        The content of ``results.md``.
    """
    standing = list(standings(study, results, store))
    found = [each.result for each in standing if each.result]
    states = {(each.entry, each.seed): each.state.value for each in standing if each.state is not State.done}
    rows = make_rows(study, found, states)
    charts = drawable(study, rows)
    pictures = []
    for key in charts:
        pictures += _save(draw(study, study.charts[key], rows), folder / file_name(key))
    text = results_markdown(name, study, rows, charts, deleted(found, store))
    (folder / TABLE).write_text(text, encoding="utf-8")
    config = TrackingConfig(store.address, EXPERIMENT, system_metrics=False)
    with RunRecord.start(config, name, {"study": name}) as record:
        record.describe(text)
        for path in (folder / TABLE, *results.files, *pictures):
            record.log_artifact(path)
    return text


def _save(figure: Figure, path: Path) -> list[Path]:
    """Writes PNG and SVG; the same figure gives the same files, so that in git only what is different changes."""
    png, svg = (path.with_name(f"{path.name}.{form}") for form in ("png", "svg"))
    figure.savefig(png, dpi=DPI)
    with rc_context({"svg.hashsalt": path.name}):
        figure.savefig(svg, metadata={"Date": None})
    return [png, svg]
