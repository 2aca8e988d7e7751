"""Texts that fit: on one line of a terminal, and into MLflow's columns."""

from maxexp.base.languages.printable import encodable
from maxexp.base.secrets import without_secrets

LONGEST_PARAM = 6000  # characters, MLflow's limit of a param value
LONGEST_TAG = 8000  # characters, MLflow's limit of a tag value


def storable(text: str) -> str:
    """Returns a text that a store and a file can keep: as UTF-8 has it, and without secrets."""
    return encodable(without_secrets(text))


def shortened(value: object, longest: int) -> str:
    """Returns ``str(value)`` as it can be stored, with an ellipsis where it was cut to ``longest`` characters."""
    text = storable(str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def one_line(error: BaseException, longest: int = 300) -> str:
    """Returns the message of an exception on one line of at most ``longest`` characters."""
    return shortened(" ".join(str(error).split()) or type(error).__name__, longest)
