"""Texts that fit: on one line of a terminal, and into MLflow's columns."""

import re

LONGEST_PARAM = 6000  # characters, MLflow's limit of a param value
LONGEST_TAG = 8000  # characters, MLflow's limit of a tag value


def shortened(value: object, longest: int) -> str:
    """Returns ``str(value)``, ending in an ellipsis where it had to be cut to ``longest`` characters."""
    text = str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def one_line(error: BaseException, longest: int = 300) -> str:
    """Returns the message of an exception on one line of at most ``longest`` characters."""
    return shortened(" ".join(str(error).split()) or type(error).__name__, longest)


def without_password(text: str) -> str:
    """Returns a text with the URIs in it without user and password, fit for messages and files."""
    # A URI ends at white space; its password may hold an "@".
    return re.sub(r"//[^/\s]*@", "//", text)
