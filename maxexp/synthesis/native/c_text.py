"""Pieces of C."""

import re
from collections.abc import Sequence

PER_LINE = 8


def c_numbers(values: Sequence[int], digits: int, end: str = "") -> str:
    """Numbers in hexadecimal, lines of them indented by two blanks.

    Args:
        digits: of each.
        end: behind the last number of a line; a backslash continues a macro.
    """
    texts = [f"0x{value:0{digits}x}," for value in values]
    lines = [" ".join(texts[start : start + PER_LINE]) for start in range(0, len(texts), PER_LINE)]
    return "".join(f"  {line}{end}\n" for line in lines)


def c_macro(name: str, values: Sequence[int]) -> str:
    """A macro that initializes an array of 32-bit words."""
    continued = " \\"
    return f"#define {name} {{{continued}\n{c_numbers(values, 8, continued)}}}\n"


def plain(text: str) -> str:
    """Returns the text that ends neither a comment nor a string, and that the serial line carries: ASCII without
    signs."""
    return re.sub(r"[^A-Za-z0-9_ .,()+-]", "_", text)
