"""Names and keys on several lines, none of their words broken."""

import re
from collections.abc import Iterable

PIECE = re.compile(r"(?<=[.=_/-])(?!\d)")
"""Where a long word may be broken: behind punctuation, but not within a number or before a value that is one."""


def broken(text: str, width: int) -> str:
    """The text on lines of at most so many characters, where its pieces allow it; words stay whole if they can."""
    lines = [""]
    for word in text.split():
        pieces = [word] if len(word) <= width else PIECE.split(word)
        for index, piece in enumerate(pieces):
            longer = f"{lines[-1]} {piece}" if index == 0 and lines[-1] else lines[-1] + piece
            if lines[-1] and len(longer) > width:
                lines.append(piece)
            else:
                lines[-1] = longer
    return "\n".join(lines)


def longest_piece(texts: Iterable[str]) -> int:
    """Characters that a column must have for none of the texts to be broken elsewhere."""
    return max(len(piece) for text in texts for word in text.split() for piece in PIECE.split(word))
