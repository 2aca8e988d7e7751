"""The comparison as one HTML file that needs nothing else: no network, no other files."""

import json
from importlib import resources
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from maxexp.report.comparison.comparison import Comparison
from maxexp.report.page.data import page_data

SCRIPTS = (
    "base.js",
    "runs.js",
    "tradeoff.js",
    "differences.js",
    "curves.js",
    "memory.js",
    "chip.js",
    "confusion.js",
    "wrong.js",
    "details.js",
    "start.js",
)
"""Parts of one script, in their order."""


def to_html(comparison: Comparison, title: str, origin: str) -> str:
    """The page.

    Args:
        origin: where the runs are, and how they were chosen.
    """
    template = Environment(autoescape=True).from_string(_file("page.html"))
    data = page_data(comparison, title, origin)
    return template.render(
        title=title,
        origin=origin,
        version=data["version"],
        style=Markup(_file("style.css")),
        script=Markup("\n".join(_file(name) for name in SCRIPTS)),
        data=Markup(_script_json(data)),
    )


def _file(name: str) -> str:
    return (resources.files("maxexp.report.page") / name).read_text(encoding="utf-8")


def _script_json(data: dict[str, Any]) -> str:
    """JSON that cannot end the script element which it stands in."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
