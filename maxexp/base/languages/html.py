"""Values within an HTML page; its text is escaped by the template engine."""

import json
from typing import Any


def script_json(value: Any) -> str:
    """Returns JSON that cannot end the script element which it stands in, and that any encoding can hold."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
