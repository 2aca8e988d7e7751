"""``results.md``: question, table, findings, and what each row can be repeated with."""

from collections.abc import Sequence

from maxexp.study.description import Format, Study
from maxexp.study.figures import Figure, Row, verdict

DIGITS = {Format.percent: 2, Format.decimal: 2, Format.factor: 1, Format.kilobytes: 1, Format.milliseconds: 3}
SCALES = {Format.percent: 100.0, Format.kilobytes: 1e-3, Format.milliseconds: 1e-3}
UNITS = {
    Format.percent: " %",
    Format.kilobytes: " kB",
    Format.milliseconds: " ms",
    Format.hours: " h",
    Format.factor: "x",
}
MARKS = {"published": "", "computed": "", "estimated": "ᵉ", "synthesized": "ˢ", "emulated": "ᵐᵘ", "measured": "ᵐ"}


def write_value(figure: Figure, form: Format) -> str:
    """A cell as text, with its unit, its spread and a mark for its source."""
    if figure.value is None:
        return "-"
    if isinstance(figure.value, str) or form is Format.text:
        return str(figure.value)
    scale = SCALES.get(form, 1.0)
    digits = 0 if form is Format.integer else DIGITS.get(form, 1)
    text = f"{scale * figure.value:,.{digits}f}"
    if figure.spread is not None and scale * figure.spread >= 0.5 * 10**-digits:
        text += f" ± {scale * figure.spread:.{digits}f}"
    return f"{text}{UNITS.get(form, '')}{MARKS.get(figure.source, '')}"


def table(study: Study, rows: Sequence[Row]) -> str:
    """Markdown table; numbers to the right."""
    columns = [(key, column) for key, column in study.columns.items() if not column.hidden]
    lines = [
        "| | " + " | ".join(column.label for _, column in columns) + " | runs |",
        "|--|" + "|".join("--:" if column.format is not Format.text else "--" for _, column in columns) + "|--|",
    ]
    for row in rows:
        cells = [write_value(row.cells[key], column.format) for key, column in columns]
        lines.append(f"| {row.label} | {' | '.join(cells)} | {_runs(row)} |")
    return "\n".join(lines) + "\n"


def results_markdown(name: str, study: Study, rows: Sequence[Row], pictures: Sequence[str]) -> str:
    """The whole file."""
    parts = [f"# {study.title}\n", f"{study.question.strip()}\n", table(study, rows), _legend(rows)]
    parts += [f"![{picture}]({picture})\n" for picture in pictures]
    if study.findings:
        parts.append("## Findings\n")
        parts.append("\n".join(f"- **{verdict(f, rows)}**: {f.text} (`{f.check}`)" for f in study.findings) + "\n")
    if study.notes:
        parts.append(f"{study.notes.strip()}\n")
    parts += ["## How each row came about\n", _origins(rows)]
    parts.append(f"All of it again: `python -m maxexp.study run {name}`.\n")
    return "\n".join(parts)


def _runs(row: Row) -> str:
    if not row.wanted:
        return "published"
    links = " ".join(f"[{result.run_id[:8]}](#{result.run_id[:8]})" for result in row.results)
    return links if len(row.results) == row.wanted else f"{links} ({len(row.results)} of {row.wanted})".strip()


def _legend(rows: Sequence[Row]) -> str:
    used = {figure.source for row in rows for figure in row.cells.values() if figure.value is not None}
    marks = [f"{mark} {source}" for source, mark in MARKS.items() if mark and source in used]
    seeds = any(figure.spread is not None for row in rows for figure in row.cells.values())
    text = "Accuracies are of the test split, read once per run; checkpoints were chosen on validation images."
    if seeds:
        text += " ± is the standard deviation over seeds."
    return f"{text} {'; '.join(marks)}".strip() + "\n"


def _origins(rows: Sequence[Row]) -> str:
    lines = [f"- {row.label}: {row.source}" for row in rows if row.source]
    for row in rows:
        for result in row.results:
            tags = result.tags
            commit = tags.get("mlflow.source.git.commit", "unknown")[:10]
            dirty = ", with uncommitted changes" if tags.get("git.dirty") == "true" else ""
            made = f"run {result.run_id}, commit {commit}{dirty}, torch {tags.get('version.torch', '?')}"
            lines.append(f'- <a name="{result.run_id[:8]}"></a>`{result.command}` ({row.label}; {made})')
    return "\n".join(lines) + "\n"
