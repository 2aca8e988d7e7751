"""Facts of the chip that code and tests cite stand in docs/hardware.md, under the heading that they name."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
HEADINGS = set(re.findall(r"^## (.+)$", (REPOSITORY / "docs" / "hardware.md").read_text(encoding="utf-8"), re.M))
CITING = [
    path
    for folder in ("maxexp", "tests")
    for path in sorted((REPOSITORY / folder).rglob("*"))
    if path.suffix in (".py", ".c", ".h", ".ld") and path != Path(__file__) and "hardware.md" in path.read_text()
]


@pytest.mark.parametrize("path", CITING, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_what_is_cited_has_its_heading(path):
    # A citation may go over the end of a line, within a comment or a docstring.
    text = re.sub(r"\s*\n\s*[#*/]*\s*", " ", path.read_text(encoding="utf-8"))
    cited = re.findall(r"hardware\.md(.{0,40})", text)
    assert cited
    for rest in cited:
        assert any(rest.startswith(f", {heading}") for heading in HEADINGS), rest
