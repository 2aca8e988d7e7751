"""The layout of the package: imports point downwards, no room has a circle, the root has two files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import maxexp

PACKAGE = Path(maxexp.__file__).parent
ROOMS = (
    "base",
    "network",
    "chip",
    "data",
    "quantization",
    "importing",
    "tasks",
    "training",
    "synthesis",
    "board",
    "camera",
    "tracking",
    "schema",
    "report",
    "run",
    "zoo",
    "compare",
    "study",
    "sweep",
    "api",
    "cli",
)
"""From the ground floor up: a room imports from those before it only."""
FACES = ("ui", "cost", "predict")
"""Packages that hold nothing but the face of a command."""


def modules() -> dict[str, Path]:
    """Every module of the package but the faces of commands, by dotted name without ``maxexp``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[-1] != "__main__":
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


MODULES = modules()


def imports(path: Path) -> Iterator[str]:
    """The package's modules that a file imports, lazily or for type checking too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{path}: relative imports are not read here; write maxexp...")
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name == "maxexp" or name.startswith("maxexp."):
                yield module_of(name)


def module_of(name: str) -> str:
    """The longest beginning of a dotted name that is a module."""
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in MODULES:
        parts.pop()
    return ".".join(parts)


def room(module: str) -> str:
    return module.partition(".")[0]


def circle(edges: dict[str, set[str]]) -> list[str]:
    """One circle of a directed graph; empty if there is none."""
    done: set[str] = set()
    way: list[str] = []

    def visit(node: str) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        way.append(node)
        for target in sorted(edges.get(node, ())):
            found = visit(target)
            if found:
                return found
        way.pop()
        done.add(node)
        return []

    for start in sorted(edges):
        found = visit(start)
        if found:
            return found
    return []


def test_the_root_of_the_package_has_two_files():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}


def test_every_package_is_a_known_room():
    found = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert found <= {*ROOMS, *FACES}


@pytest.mark.parametrize("name", ROOMS)
def test_imports_point_downwards(name):
    allowed = ROOMS[: ROOMS.index(name) + 1]
    upward = [
        f"{module} imports {target}"
        for module, path in MODULES.items()
        if room(module) == name
        for target in imports(path)
        if target and room(target) not in allowed
    ]
    assert not upward


def test_faces_import_the_command_line_only():
    for path in PACKAGE.rglob("__main__.py"):
        assert {room(target) for target in imports(path)} == {"cli"}, path


def test_no_modules_import_one_another_in_a_circle():
    assert not circle({module: set(imports(path)) - {module, ""} for module, path in MODULES.items()})


@pytest.mark.parametrize("name", ROOMS)
def test_the_inner_rooms_of_a_room_have_no_circle(name):
    edges: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        if room(module) == name:
            here = inner(module)
            targets = {inner(target) for target in imports(path) if room(target) == name}
            edges.setdefault(here, set()).update(targets - {here})
    assert not circle(edges)


def inner(module: str) -> str:
    """The folder within its room that a module is in, or the module where it is in none."""
    return ".".join(module.split(".")[:2])


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert not circle({"a": {"b", "c"}, "b": {"c"}})
