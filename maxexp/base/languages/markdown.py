"""A text within Markdown: CommonMark with GitHub's tables, as GitHub and MLflow show it."""

import html
import re
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import quote

from maxexp.base.languages.printable import printable

_ACTIVE = re.compile(r"[\\`*\[\]<&|~$]|(?<![^\W_])_|_(?![^\W_])")
"""What begins or ends markup within a line; an underscore between letters does not."""
_BAR = re.compile(r"(?<!\\)\|")
"""What ends a cell."""
_BACKTICKS = re.compile("`+")


def markdown_text(text: str) -> str:
    """Returns a text that is shown as it is: within a line, in a cell of a table, in a link."""
    return _ACTIVE.sub(lambda found: f"\\{found[0]}", printable(text))


def markdown_code(text: str) -> str:
    """Returns a text as code within a line, outside of tables."""
    text = printable(text)
    if not text:
        return ""  # Markdown has no empty code
    fence = "`" * (max(map(len, _BACKTICKS.findall(text)), default=0) + 1)
    # Markdown takes a blank from both ends, if both are blank, and the code is not blank altogether.
    edge = text.startswith(("`", " ")) or text.endswith(("`", " "))
    padding = " " if edge and text.strip(" ") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def markdown_link(text: str, target: str) -> str:
    """Returns a link to a path, with an anchor where ``#`` follows, that shows a text."""
    return f"[{markdown_text(text)}]({link_target(target)})"


def markdown_picture(title: str, path: str) -> str:
    """Returns a picture."""
    return f"![{markdown_text(title)}]({link_target(path)})"


def link_target(target: str) -> str:
    """Returns a path for a link; the first ``#``, if any, begins the anchor."""
    path, mark, anchor = target.partition("#")
    return f"{_quoted(path)}{mark}{_quoted(anchor)}"


def markdown_anchor(name: str) -> str:
    """Returns the place that links to ``#name`` lead to."""
    return f'<a name="{html.escape(_quoted(name))}"></a>'


def markdown_table(heading: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[int] = ()) -> str:
    """Returns a table, without a line break at its end.

    Args:
        heading: of each column.
        rows: Markdown for each column; texts go through :func:`markdown_text`.
        numbers: indices of the columns that are aligned to the right.
    """
    rule = "|" + "".join("--:|" if index in numbers else "--|" for index in range(len(heading)))
    return "\n".join([_row(heading), rule, *map(_row, rows)])


def _row(cells: Sequence[str]) -> str:
    texts = [_BAR.sub("\\\\|", cell).replace("\n", " ") for cell in cells]
    # An empty cell needs one space, not two.
    return "|" + "".join(f" {text} |" if text else " |" for text in texts)


def _quoted(text: str) -> str:
    return quote(printable(text), safe="/:+,=@-._")
