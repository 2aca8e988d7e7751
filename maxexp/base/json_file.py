"""JSON of others, of which Python refuses some by errors that say nothing of JSON."""

import json
from pathlib import Path
from typing import Any

from maxexp.base.bounded import read_bounded
from maxexp.base.errors import FormatError

MOST_BYTES = 64 << 20
"""Of a file; the largest of ours, the results of a study, has 2 MiB."""


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        FormatError: it is no JSON, or beyond all bounds; does not name the file.
        OSError: it cannot be read.
    """
    return parse_json(read_bounded(path, MOST_BYTES))


def parse_json(content: str | bytes) -> Any:
    """The value of a JSON text. Raises FormatError if it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"it is no JSON: {error}") from error
