"""The texts that the package's files spell out."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import maxexp

PACKAGE = Path(maxexp.__file__).parent


@cache
def literals() -> list[tuple[Path, str]]:
    """File, relative to the package, and text of each literal but docstrings; of f-strings the constant parts."""
    return [(path.relative_to(PACKAGE), text) for path in sorted(PACKAGE.rglob("*.py")) for text in _texts(path)]


def _texts(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value
