"""A text as the value of a variable of make."""


def make_value(text: str) -> str:
    """Returns what follows ``NAME=`` on make's command line: a ``$`` would begin a reference."""
    return text.replace("$", "$$")
