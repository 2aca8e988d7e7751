"""A value as a condition of MLflow's search syntax."""

import re

_AWKWARD = re.compile(r"""['"\\\s]""")
"""Characters that end a quoted value, or that the parser treats in a way of its own."""


def equals(column: str, value: str) -> str:
    """Returns a condition that all entities meet whose ``column`` has this value.

    MLflow's syntax has no escapes: a value with both kinds of quotes, or with a backslash, cannot be written. Then
    any character is allowed in the place of such a one, so the answer may hold a few entities too many; whoever
    asks compares the values again.

    Args:
        column: in MLflow's words, e.g. ``tags.`sweep.study```.
    """
    if not _AWKWARD.search(value):
        return f"{column} = '{value}'"
    return f"{column} LIKE '{_AWKWARD.sub('_', value)}'"
