"""What an application on a board says: lines of text, one for each input."""

import re
from collections.abc import Iterator

from maxexp.base.errors import BoardError
from maxexp.board.inference import Line

_LONGEST_LINE = 4096
_MOST_LINES = 1000
"""Lines that a board may say before the one that is waited for: what an earlier firmware was sending, and no more."""
_RESULT = re.compile(r"(?:Class (\d{1,5}): \d{1,3}\.\d% .*|Outputs:(?: -?\d{1,11})+) \(\d{1,9} us\)")


def lines(line: Line) -> Iterator[str]:
    """Returns the lines that a board says, until it says nothing more in time."""
    said = b""
    while byte := line.read(1):
        if byte == b"\n" or len(said) == _LONGEST_LINE:
            yield said.decode("ascii", "replace").strip()
            said = b""
        else:
            said += byte


def wait_for(line: Line, wanted: str) -> None:
    """Reads up to a line that has a text. Raises BoardError if none comes."""
    last = ""
    for number, last in enumerate(lines(line)):
        if wanted in last:
            return
        if number == _MOST_LINES:
            break
    raise BoardError(f"the board does not say {wanted!r}; its last words: {last[-80:]!r}")


def wait_for_result(line: Line) -> str:
    """Returns the line with which an application says what the network makes of an input.

    Raises:
        BoardError: there is none, or the input was disturbed on its way.
    """
    last = ""
    for last in lines(line):
        if _RESULT.fullmatch(last):
            return last
        if last.startswith("Disturbed"):
            break
    raise BoardError(f"the board has no result; its last words: {last[-80:]!r}; reset it and try again")


def class_of(result: str) -> int | None:
    """Returns the number of the class in a result; None of a network whose outputs are no classes."""
    found = _RESULT.fullmatch(result)
    return int(found[1]) if found and found[1] else None
