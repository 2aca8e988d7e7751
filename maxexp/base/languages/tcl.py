"""A text as a word of Tcl, which OpenOCD's commands are written in."""

import re

_PLAIN = re.compile(r"\w+", re.ASCII)
_UNBRACED = re.compile(r"[{}\\]")
"""What means something within braces, too."""
_SPECIAL = re.compile(r"[\x00-\x2f:-@\[-`{-\x7f]")
"""Whatever of ASCII is no letter or digit."""


def tcl_word(text: str) -> str:
    """Returns a word that Tcl takes for this text, also within a script in braces."""
    if _PLAIN.fullmatch(text):
        return text
    if not _UNBRACED.search(text):
        return f"{{{text}}}"
    # A backslash at the end of a line would continue it.
    return _SPECIAL.sub(lambda found: "\\n" if found[0] == "\n" else f"\\{found[0]}", text)
