"""The comparison as one HTML file that needs nothing else: no network, no other files."""

from importlib import resources

from jinja2 import Environment
from markupsafe import Markup

from maxexp.base.languages.html import script_json
from maxexp.base.languages.printable import encodable
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
        title=encodable(title),
        origin=encodable(origin),
        version=data["version"],
        style=Markup(_file("style.css")),
        script=Markup("\n".join(_file(name) for name in SCRIPTS)),
        data=Markup(script_json(data)),
    )


def _file(name: str) -> str:
    return (resources.files("maxexp.report.page") / name).read_text(encoding="utf-8")
