"""The project's English: how docstrings open and end, and phrases for which computing has a word."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "maxexp").rglob("*.py"))
TEXTS = [*SOURCES, *sorted((ROOT / "conf").rglob("*.yaml")), *sorted((ROOT / "hydra_plugins").rglob("*.py"))]
OPENINGS = re.compile(r"(The|An?|All|Any|Both|Each|Every|No|One|Several|Three|Two|[A-Z][a-z]+s)\b")
"""An article or its like, a verb in the third person, or a noun in the plural."""
HEADLESS = re.compile(r"(Of|By|For|From|Whether|Those|With|Which|Everything due)\b")
"""Openings of fragments that have neither."""
PHRASES = {
    "sign of life": "heartbeat",
    "what lies": "layout, or what is in it",
    "is asked about": "sees",
    "goes on with": "resumes, continues",
    "go on with": "resume, continue",
    "gave up": "pruned, stopped early",
    "given up": "pruned, stopped early",
    "asked_to": "operation",
    "carry_out": "execute",
    "deed": "action",
    "may_live": "possibly_alive",
}


@cache
def all_lines() -> dict[Path, list[str]]:
    return {path: path.read_text().splitlines() for path in TEXTS}


def first_paragraph(docstring: str) -> str:
    return " ".join(re.split(r"\n\s*\n", docstring.strip())[0].split())


def faults(path: Path) -> list[str]:
    """What is wrong with the docstrings of a file, each with its line."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        if not isinstance(node, kinds) or not (text := ast.get_docstring(node)):
            continue
        opening, line = first_paragraph(text), getattr(node, "lineno", 1)
        if not opening.endswith((".", ":", "?")):
            found.append(f"line {line} ends without a full stop: {opening}")
        if isinstance(node, (ast.Module, ast.ClassDef)):
            if HEADLESS.match(opening):
                found.append(f"line {line} opens with neither a noun nor a verb: {opening}")
        elif not OPENINGS.match(opening):
            found.append(f"line {line} opens with neither an article nor a verb in the third person: {opening}")
    return found


def test_the_openings_are_told_apart():
    for good in ("Returns the shape.", "The shape.", "Tells whether it fits.", "Weights by layer."):
        assert OPENINGS.match(good)
    for bad in ("Return the shape.", "Whether it fits.", "Of the weights.", "What it costs.", "``x`` of ``y``."):
        assert not OPENINGS.match(bad)


@pytest.mark.parametrize("room", sorted({path.relative_to(ROOT).parts[1] for path in SOURCES}))
def test_docstrings_open_and_end_as_sentences(room):
    sources = [path for path in SOURCES if path.relative_to(ROOT).parts[1] == room]
    found = {path.relative_to(ROOT).as_posix(): faults(path) for path in sources}
    assert not {path: lines for path, lines in found.items() if lines}


@pytest.mark.parametrize("phrase", PHRASES)
def test_computing_has_a_word_for_it(phrase):
    used = [
        f"{path.relative_to(ROOT)}:{number}"
        for path, lines in all_lines().items()
        for number, line in enumerate(lines, 1)
        if re.search(rf"\b{re.escape(phrase)}\b", line)
    ]
    assert not used, f"{phrase!r}: write {PHRASES[phrase]}"
