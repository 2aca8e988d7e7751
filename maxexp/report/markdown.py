"""Markdown tables."""

from collections.abc import Collection, Iterable, Sequence


def table(heading: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[int] = ()) -> str:
    """A table, without a line break at its end.

    Args:
        heading: of each column.
        rows: one cell for each column; a cell may hold any text.
        numbers: indices of the columns that are aligned to the right.
    """
    rule = "|" + "".join("--:|" if index in numbers else "--|" for index in range(len(heading)))
    return "\n".join([_line(heading), rule, *map(_line, rows)])


def _line(cells: Sequence[str]) -> str:
    texts = [cell.replace("|", "\\|").replace("\n", " ") for cell in cells]
    # An empty cell needs one space, not two.
    return "|" + "".join(f" {text} |" if text else " |" for text in texts)
