"""What can follow on the command line, for the shell: commands, keys, and the values of those that have a choice.

Hydra installs the completion (``maxexp -sc install=bash``) and would answer it, too: it composes the configuration
for each press of a key, which takes seconds, and offers the places of a list instead of what the list may hold.
"""

import os
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

from maxexp.base.shipped import conf_dir
from maxexp.schema.roles import declared_keys

ADDED = ("experiment", "sweep")
"""Groups that are chosen with a plus, for they add to the configuration."""
OPTIONS = ("--help", "--cfg", "--info", "--multirun", "--config-dir")
TAKING_KEYS = ("train", "cost", "evaluate", "sweep")
"""Commands whose words are keys of the configuration."""
QUERIES = ("query=bash", "query=zsh", "query=fish")


def is_query(words: Sequence[str]) -> bool:
    """Tells whether a shell asks what can follow."""
    return len(words) == 2 and words[0] in ("-sc", "--shell_completion") and words[1] in QUERIES


def answer(commands: Sequence[str]) -> None:
    """Prints what can follow on the line that the shell gives, as it wants it."""
    print("\n".join(completions(os.environ.get("COMP_LINE", ""), commands)))


def completions(line: str, commands: Sequence[str]) -> list[str]:
    """Returns whole words that can stand at the end of a line.

    Args:
        line: up to the cursor, with the program's name.
        commands: the first words that there are.
    """
    _, *words = line.split() or [""]
    word = words.pop() if words and not line[-1].isspace() else ""
    if words and words[0] in commands and words[0] not in TAKING_KEYS:
        return []
    first = [] if words else list(commands)
    return [each for each in (*first, *_keys(word)) if each.startswith(word)]


def _keys(word: str) -> Iterator[str]:
    """Returns the keys as far as the next dot, or ``key=value`` for all values of a key."""
    key, given, value = word.partition("=")
    if given:
        yield from (f"{key}={each}" for each in _values(key, value))
        return
    if word.startswith("-"):
        yield from OPTIONS
        return
    groups = _groups()
    yield from (f"+{name}=" if name in ADDED else f"{name}=" for name in groups)
    depth = word.count(".")
    for name, declared in declared_keys().items():
        parts = name.split(".")
        if len(parts) == depth + 1:
            deeper = any(other.startswith(f"{name}.") for other in declared_keys())
            if not deeper and name not in groups:
                yield f"{name}="
            elif deeper or get_origin(declared.kind) is dict:
                yield f"{name}."


def _values(key: str, typed: str) -> list[str]:
    """The values of a key that has a choice of them."""
    name = key.lstrip("+~")
    if name in _groups():
        return sorted(path.stem for path in Path(conf_dir(), name).glob("*.yaml"))
    declared = declared_keys().get(name)
    if declared is None:
        return []
    if get_origin(declared.kind) is list:
        begun, _, _ = typed.rpartition(",")
        taken = [each for each in begun.strip("[]").split(",") if each]
        head = f"[{''.join(f'{each},' for each in taken)}"
        return [f"{head}{each}]" for each in _names(get_args(declared.kind)[0]) if each not in taken]
    return _names(declared.kind)


def _names(kind: Any) -> list[str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [each.name for each in kind]
    return ["true", "false"] if kind is bool else []


def _groups() -> list[str]:
    """The groups of ``conf/``, but for those of Hydra."""
    return sorted(path.name for path in Path(conf_dir()).iterdir() if path.is_dir() and path.name != "hydra")
