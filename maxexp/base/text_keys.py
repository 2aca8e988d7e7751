"""Keys of typed schemas that hold texts: for these, what is typed is the value, whatever else it looks like."""

from collections.abc import Sequence
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

TEXT, TEXTS = "text", "texts"
"""Marks of a type that OmegaConf cannot declare: a text, or a text or a list of them, besides other things."""

_schemas: dict[str, type] = {}


def declare(prefix: str, schema: type) -> None:
    """Makes known what a dataclass says of the keys below ``prefix``, which is dotted, or empty for all."""
    _schemas[prefix] = schema


def declared() -> frozenset[str]:
    """Returns the prefixes that a schema is declared for."""
    return frozenset(_schemas)


def kind_of(key: str) -> Any:
    """Returns the declared type of a dotted key; ``None`` where nothing is declared.

    The schema with the longest prefix decides.
    """
    for prefix in sorted(_schemas, key=len, reverse=True):
        if not prefix or key == prefix or key.startswith(f"{prefix}."):
            rest = key.removeprefix(prefix).removeprefix(".")
            return inner_kind(_schemas[prefix], rest.split(".") if rest else ())
    return None


def declared_below(key: str) -> bool:
    """Tells whether a schema of its own is declared for some key below this one."""
    return any(prefix.startswith(f"{key}.") for prefix in _schemas)


def inner_kind(kind: Any, path: Sequence[str]) -> Any:
    """Returns the type of what a path of keys and positions leads to; ``None`` where nothing is declared."""
    for part in path:
        kind = _step(kind, part)
    return kind


def is_text(kind: Any) -> bool:
    """Tells whether a value of this type is a text: ``str``, ``str | None``, or marked as one."""
    kind = _without_none(kind)
    return kind is str or _mark(kind) in (TEXT, TEXTS)


def has_named_keys(kind: Any) -> bool:
    """Tells whether a mapping of this type has texts for keys."""
    kind = _without_none(kind)
    return is_dataclass(kind) or (get_origin(kind) is dict and get_args(kind)[0] is str)


def _step(kind: Any, part: str) -> Any:
    kind = _without_none(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _hints(kind).get(part)
    if _mark(kind) == TEXTS:
        return Annotated[Any, TEXT]
    if get_origin(kind) in (dict, list):
        return get_args(kind)[-1]
    return None


@cache
def _hints(schema: type) -> dict[str, Any]:
    return get_type_hints(schema, include_extras=True)


def _mark(kind: Any) -> Any:
    return kind.__metadata__[0] if get_origin(kind) is Annotated else None


def _without_none(kind: Any) -> Any:
    if get_origin(kind) not in (Union, UnionType):
        return kind
    others = [each for each in get_args(kind) if each is not NoneType]
    return others[0] if len(others) == 1 else kind
