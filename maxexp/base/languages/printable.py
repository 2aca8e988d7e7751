"""A text on one line of a terminal, a log or a picture."""

import re
import unicodedata

_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's categories of controls, formats, surrogates and line breaks."""
_SURROGATES = re.compile("[\ud800-\udfff]")
_JOINERS = "\u200c\u200d"
"""Formats that belong to the spelling of words, and to emoji."""


def printable(text: str) -> str:
    r"""Returns a text with its invisible characters written out, so that any encoding and any line can hold it.

    A line break becomes ``\n``; a byte of a file name that is no text, which Python reads as a lone surrogate,
    becomes ``\xff``. Whatever can be seen stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def encodable(text: str) -> str:
    """Returns a text, of any number of lines, that UTF-8 can hold: bytes that are no text are written out."""
    return text if text.isascii() else _SURROGATES.sub(lambda found: _visible(found[0]), text)


def _visible(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _INVISIBLE:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
