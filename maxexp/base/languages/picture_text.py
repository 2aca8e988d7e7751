"""A text in a picture of matplotlib."""

from maxexp.base.languages.printable import printable


def picture_text(text: str) -> str:
    """Returns a text that matplotlib draws as it is, on one line: between two ``$`` it would read a formula."""
    return printable(text).replace("$", r"\$")
