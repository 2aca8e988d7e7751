"""A text as the value of one of Hydra's overrides, and as a value of OmegaConf."""

import re
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

_PLAIN = re.compile(r"[A-Za-z/][\w./:@+-]*", re.ASCII)
"""What Hydra's grammar takes for a text without quotes, but for words that mean something else."""
_RESERVED = re.compile(r"null|true|false|inf|nan", re.IGNORECASE)
_REFERENCE = re.compile(r"(\\*)\$\{")


def override_value(text: str) -> str:
    """Returns what follows ``KEY=`` so that the key gets this text and nothing else."""
    if _PLAIN.fullmatch(text) and not _RESERVED.fullmatch(text):
        return text
    return QuotedString(literal(text), Quote.single).with_quotes()


def literal(text: str) -> str:
    r"""Returns a text in which OmegaConf finds no reference: ``${`` with a backslash, those before it doubled."""
    return _REFERENCE.sub(lambda found: rf"{found[1]}{found[1]}\${{", text)


def literals(value: Any) -> Any:
    """Returns nested mappings and lists of resolved values, whose texts refer to nothing any more."""
    if isinstance(value, dict):
        return {key: literals(item) for key, item in value.items()}
    if isinstance(value, list):
        return [literals(item) for item in value]
    return literal(value) if isinstance(value, str) else value
