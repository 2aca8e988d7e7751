"""A comparison as Markdown and as CSV."""

import csv
import io

from maxexp.base.languages.markdown import markdown_table, markdown_text
from maxexp.base.metrics import Metric
from maxexp.report.comparison.collect import RunDetails
from maxexp.report.comparison.comparison import Comparison, status
from maxexp.report.comparison.differences import setting

MISSING = "–"
FIXED = ("run", "id", "status", "data", "quantization", "hardware figures")
LEGEND = f"Bold: best on its data. {MISSING}: not recorded."


def to_markdown(comparison: Comparison) -> str:
    """All figures, in what the runs differ, and the notes."""
    metrics = comparison.metrics
    heading = [*FIXED, *(metric.heading for metric in metrics)]
    rows = [
        [*map(markdown_text, _fixed(details)), *(number(comparison, metric, details, "**{}**") for metric in metrics)]
        for details in comparison.runs
    ]
    lines = [markdown_table(heading, rows, range(len(FIXED), len(heading))), "", LEGEND, ""]
    if comparison.differing:
        values = [
            [markdown_text(each) for each in (details.run.name, *_differing(comparison, details))]
            for details in comparison.runs
        ]
        lines += [markdown_table(["run", *map(markdown_text, comparison.differing)], values), ""]
    lines += [f"- {markdown_text(note)}" for note in comparison.notes]
    return "\n".join(lines).rstrip() + "\n"


def to_csv(comparison: Comparison) -> str:
    """One line for each run: metrics as recorded under their own names, then the differing configuration."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    tags = ("model", "dataset", "quantization", "weight_bits", "hw.source")
    keys = [metric.key for metric in comparison.metrics]
    writer.writerow(["run_id", "name", "status", *tags, *keys, *comparison.differing])
    for details in comparison.runs:
        run = details.run
        figures = [run.metrics.get(key, "") for key in keys]
        values = [run.params.get(key, "") for key in comparison.differing]
        known = [run.tags.get(key, "") for key in tags]
        writer.writerow([run.run_id, run.name, status(details), *known, *figures, *values])
    return text.getvalue()


def quantization(details: RunDetails) -> str:
    """Returns the method and bits of a run."""
    tags = details.run.tags
    bits = f", {tags['weight_bits']} bits" if "weight_bits" in tags else ""
    return tags.get("quantization", MISSING) + bits


def hardware_source(details: RunDetails) -> str:
    """The evidence for a run's latency."""
    return details.run.tags.get("hw.source", MISSING)


def number(comparison: Comparison, metric: Metric, details: RunDetails, emphasis: str) -> str:
    """A run's figure without its unit; the best are put into ``emphasis``."""
    run = details.run
    text = metric.text(run.metrics[metric.key]) if metric.key in run.metrics else MISSING
    return emphasis.format(text) if run.run_id in comparison.best[metric.key] else text


def _differing(comparison: Comparison, details: RunDetails) -> list[str]:
    return [setting(key, details.run.params) for key in comparison.differing]


def _fixed(details: RunDetails) -> list[str]:
    run = details.run
    known = [run.name, run.run_id, status(details), details.dataset]
    return [*known, quantization(details), hardware_source(details)]
