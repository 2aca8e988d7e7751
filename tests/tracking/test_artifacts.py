"""Names of artifacts stand in one list."""

import ast
from pathlib import Path

import maxexp
from maxexp.tracking import artifacts
from maxexp.tracking.metrics import METRICS

PACKAGE = Path(maxexp.__file__).parent
PREFIXES = ("board/", "sweep/")
"""Groups of metrics."""
FOLDERS = {value for name, value in vars(artifacts).items() if name.isupper() and "/" not in str(value)}


def strings(path: Path) -> list[str]:
    """Every text of a file but docstrings, of formatted ones the constant parts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in bare]
    return [node.value for node in texts if isinstance(node.value, str)]


def test_no_other_file_spells_out_the_path_of_an_artifact():
    assert {"checkpoints", "synthesis", "config"} <= FOLDERS
    spelled = [
        f"{path.relative_to(PACKAGE)}: {text}"
        for path in PACKAGE.rglob("*.py")
        if path.name != "artifacts.py"
        for text in strings(path)
        if text.split("/")[0] in FOLDERS and "/" in text and text not in METRICS and text not in PREFIXES
    ]
    assert not spelled


def test_every_artifact_has_a_name_of_its_own():
    names = [value for name, value in vars(artifacts).items() if name.isupper()]
    assert len(set(names)) == len(names)
