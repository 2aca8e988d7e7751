"""A run's own page and picture, among its artifacts."""

from dataclasses import replace
from pathlib import Path

from maxexp.base.errors import TrackingError
from maxexp.report.comparison.collect import collect
from maxexp.report.comparison.comparison import compare
from maxexp.report.figures.histograms import read_ranges
from maxexp.report.figures.run_picture import RunParts, run_picture
from maxexp.report.page.page import to_html
from maxexp.report.summary import result_rows
from maxexp.tracking.artifacts import MEMORY_MAP, SUMMARY_PAGE, SUMMARY_PICTURE
from maxexp.tracking.reading import RecordedRun
from maxexp.tracking.record import RunRecord


def write_summary(record: RunRecord) -> None:
    """Sums up a run whose stages are done, from what its record holds by now."""
    run = record.snapshot()
    # Its record is still open, but nothing will be added to what the page shows.
    details = collect(replace(run, status="FINISHED"))
    record.log_text(to_html(compare([details]), run.name, f"Run {run.run_id} in {record.place}."), SUMMARY_PAGE)
    parts = RunParts(
        run.name,
        result_rows(run.metrics, run.tags),
        details.curves,
        details.qat_epoch,
        details.predictions,
        details.cost,
        read_ranges(details.ranges) if details.ranges else (),
        _memory_map(run),
    )
    record.log_figure(run_picture(parts), SUMMARY_PICTURE)


def _memory_map(run: RecordedRun) -> Path | None:
    try:
        return run.artifact(MEMORY_MAP)
    except TrackingError:
        return None  # no synthesis
