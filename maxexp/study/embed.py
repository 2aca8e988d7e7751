"""Tables of studies within other Markdown files, such as the README.

Between ``<!-- study experiments/NAME -->`` and ``<!-- end -->`` stand pictures, table and notes of that study.
"""

import re
from pathlib import Path

from maxexp.base.languages.file_name import file_name
from maxexp.base.languages.markdown import markdown_code
from maxexp.base.languages.shell import shell_command
from maxexp.study.charts import drawable
from maxexp.study.description import read_study
from maxexp.study.execute import standings
from maxexp.study.figures import make_rows
from maxexp.study.markdown import legend, picture, table
from maxexp.study.records import RESULTS, Results
from maxexp.study.report import TABLE

BLOCK = re.compile(r"(<!-- study (\S+) -->\n).*?(<!-- end -->)", re.S)


def embed_tables(text: str, base: Path) -> str:
    """Returns Markdown with all its blocks made anew from the ``results.json`` of their studies, and nothing else.

    Args:
        base: folder of the Markdown file, to which the studies' folders are relative.

    Raises:
        ConfigError: there is no such study.
    """
    return BLOCK.sub(lambda found: f"{found[1]}{_block(found[2], base)}{found[3]}", text)


def _block(place: str, base: Path) -> str:
    folder = base / place
    study = read_study(folder / "study.yaml")
    results = [found.result for found in standings(study, Results(folder / RESULTS), None) if found.result]
    if not results:
        command = markdown_code(shell_command(["python", "-m", "maxexp.study", "run", folder.name]))
        return f"No results yet: {command} makes them.\n"
    rows = make_rows(study, results, {})
    pictures = [picture(study.charts[key].title, f"{place}/{file_name(key)}") for key in drawable(study, rows)]
    notes = [f"{study.notes.strip()}\n"] if study.notes else []
    return "\n".join([*pictures, table(study, rows, f"{place}/{TABLE}"), legend(study, rows), *notes])
