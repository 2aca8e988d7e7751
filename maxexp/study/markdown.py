"""``results.md``: question, table, pictures, findings, and what each row can be repeated with."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from maxexp.base.languages.file_name import file_name
from maxexp.base.languages.markdown import (
    link_target,
    markdown_anchor,
    markdown_code,
    markdown_link,
    markdown_picture,
    markdown_table,
    markdown_text,
)
from maxexp.base.languages.shell import shell_command
from maxexp.base.number_format import DECIMAL, NumberFormat
from maxexp.study.description import CHANCE, Column, Finding, Study
from maxexp.study.expression import Expression
from maxexp.study.figures import PUBLISHED, Figure, Noise, Row, Rows, noise, verdict
from maxexp.study.records import Result
from maxexp.tracking.provenance import described_code

MISSING = "–"
MARKS = {"estimated": "est", "synthesized": "syn", "emulated": "emu", "measured": "mea"}
MEANINGS = {
    PUBLISHED: "*italics*: published by others",
    "estimated": "est: estimated by our model of the chip",
    "synthesized": "syn: by the maker's synthesizer",
    "emulated": "emu: on an emulated board",
    "measured": "mea: measured on a board",
    "counted": "no mark: counted in the network, evaluated on images, or computed from figures beside it",
}


def write_value(figure: Figure, form: NumberFormat | None) -> str:
    """A figure as text, with its unit and its spread."""
    if figure.value is None:
        return MISSING
    if isinstance(figure.value, str) or form is None:
        return str(figure.value)
    return f"{form.text(figure.value)}{form.spread(figure.spread or 0.0)}{form.suffix}"


def table(study: Study, rows: Rows, page: str = "") -> str:
    """Returns the table as Markdown, each of our figures linked to its runs; numbers to the right.

    Args:
        page: where the links lead, if not to anchors of the same page.
    """
    columns = {key: column for key, column in study.columns.items() if not column.hidden}
    heading = ["", *(markdown_text(column.label) for column in columns.values()), "runs"]
    numbers = [index for index, column in enumerate(columns.values(), 1) if column.form is not None]
    lines = [
        [_link(row.label, row, page), *(_cell(row, key, column, page) for key, column in columns.items()), _runs(row)]
        for row in rows.values()
    ]
    return markdown_table(heading, lines, numbers) + "\n"


def legend(study: Study, rows: Rows) -> str:
    """Returns what marks and signs of the table mean, and how far apart runs are that differ in their seed only."""
    used = {figure.source for row in rows.values() for figure in row.cells.values() if figure.value is not None}
    if "computed" in used:
        used.add("counted")
    meanings = [text for source, text in MEANINGS.items() if source in used]
    lines = [f"{'; '.join(meanings)}; {MISSING}: not published, or not recorded."]
    lines.append("Accuracies are of the test images; checkpoints were chosen on validation images.")
    found = noise(rows, study.judged) if study.judged else None
    if study.judged and found:
        lines.append(_noise_text(found, study.columns[study.judged].label, replace(differences(study), signed=False)))
    return " ".join(lines) + "\n"


def results_markdown(
    name: str, study: Study, rows: Rows, pictures: Sequence[str], deleted: Collection[str] = ()
) -> str:
    """The whole file.

    Args:
        pictures: names of the charts.
        deleted: ids of runs that are no longer in the tracking store.
    """
    parts = [
        f"# {markdown_text(study.title)}\n",
        f"{study.question.strip()}\n",
        table(study, rows),
        legend(study, rows),
    ]
    parts += [picture(study.charts[key].title, file_name(key)) for key in pictures]
    if study.findings:
        parts += ["## Findings\n", "\n".join(_finding(study, finding, rows) for finding in study.findings) + "\n"]
    if study.notes:
        parts.append(f"{study.notes.strip()}\n")
    parts += ["## How each row came about\n", "\n".join(_origin(row, deleted) for row in rows.values()) + "\n"]
    parts.append(_again(name, study, rows))
    return "\n".join(parts)


def differences(study: Study) -> NumberFormat:
    """Returns how differences in the column are written whose spread says what may be chance."""
    assert study.judged
    form = study.columns[study.judged].form
    return (form or DECIMAL).differences


def _noise_text(found: Noise, label: str, form: NumberFormat) -> str:
    rows = "1 row" if found.rows == 1 else f"{found.rows} rows"
    deviation, resolution = (form.with_unit(value) for value in (found.deviation, found.resolution))
    return (
        f"±: standard deviation over seeds. Pooled over {rows} it is {deviation} of {markdown_text(label)}; two "
        f"rows of {found.seeds} seeds that differ by less than {resolution}, two standard errors, may differ by "
        "chance."
    )


def _cell(row: Row, key: str, column: Column, page: str) -> str:
    figure = row.cells[key]
    text = write_value(figure, column.form)
    if figure.value is None:
        return text
    if row.origin:
        return f"*{markdown_text(text)}*" if figure.source == PUBLISHED else markdown_text(text)
    mark = MARKS.get(figure.source)
    return _link(text, row, page) + (f" <sup>{mark}</sup>" if mark else "")


def _link(text: str, row: Row, page: str) -> str:
    return markdown_link(text, f"{page}#{row.name}")


def _runs(row: Row) -> str:
    if row.origin:
        return PUBLISHED
    count = len(row.results)
    states = [f"seed {seed} {state}" for seed, state in row.states.items()]
    return ", ".join([*([f"{count} run{'s' if count > 1 else ''}"] if count else []), *states])


def picture(title: str, path: str) -> str:
    """A chart, which leads to its drawing without pixels.

    Args:
        path: of both files, without ending.
    """
    return f"[{markdown_picture(title, f'{path}.png')}]({link_target(f'{path}.svg')})\n"


def _finding(study: Study, finding: Finding, rows: Rows) -> str:
    """The verdict, with the figures that it was made from."""
    used = dict.fromkeys(Expression(finding.check, "findings").attributes)
    figures = []
    for row, column in used:
        figure = rows[row].cells[column]
        source = f", {figure.source}" if figure.source in MARKS else ""
        described = study.columns[column]
        named = f"{rows[row].label}, {described.label}: {write_value(figure, described.form)}"
        figures.append(f"{markdown_text(named)}{source}")
    found = noise(rows, study.judged) if study.judged else None
    chance = found.resolution if found else None
    if CHANCE in Expression(finding.check, "findings").names and chance is not None:
        figures.append(f"may be chance: {differences(study).with_unit(chance)}")
    check, text = markdown_code(finding.check), markdown_text(finding.text)
    return f"- **{verdict(finding, rows, chance)}**: {text} ({'; '.join(figures)}; {check})"


def _origin(row: Row, deleted: Collection[str]) -> str:
    origin = markdown_text(row.origin) if row.origin else _runs(row)
    lines = [f"- {markdown_anchor(row.name)}**{markdown_text(row.label)}**: {origin}"]
    for result in row.results:
        lines.append(f"  - seed {result.seed}: {markdown_code(result.command)} ({_made(result, deleted)})")
    return "\n".join(lines)


def _made(result: Result, deleted: Collection[str]) -> str:
    tags = result.tags
    gone = "; deleted in the tracking store since, its figures are kept in results.json"
    made = (
        f"run {result.run_id}, commit {described_code(tags, length=10)}, torch {tags.get('version.torch', 'unknown')}"
    )
    return made + (gone if result.run_id in deleted else "")


def _again(name: str, study: Study, rows: Rows) -> str:
    again = ["python", "-m", "maxexp.study", "run", name]
    text = f"The tables again, and what the study lacks: {markdown_code(shell_command(again))}; all trainings again: "
    text += f"{markdown_code(shell_command([*again, '--again']))}."
    if any("checkpoint=run:" in result.command for row in rows.values() for result in row.results):
        text += " A `checkpoint=run:ID/...` is what the run ID of another row trained, in the store that has it."
    runs = [result.run_id for row in rows.values() for result in row.results]
    if runs:
        text += " Side by side, with curves, once `python -m maxexp.study restore` has put the runs into your store: "
        text += f"{markdown_code(shell_command(['python', '-m', 'maxexp.compare', *runs]))}."
    return text + "\n"
