"""The roles of all keys of a run, from the places where they are declared."""

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from maxexp.base.roles import Role
from maxexp.schema.config import Config


class Declared(NamedTuple):
    """A key as its class declares it.

    Attributes:
        key: dotted.
        kind: type of its value; of an optional one the type that it has where it is not null.
        default: None where there is none, too.
    """

    key: str
    kind: Any
    role: Role
    default: Any


@cache
def declared_keys() -> dict[str, Declared]:
    """Every key of the schema, those of groups included, by name; keys within mappings are the user's to name."""
    return {each.key: each for each in _walk(Config, "")}


def role_of(key: str) -> Role:
    """The role of a key of a recorded configuration: its own, or that of a group around it.

    A key that the schema does not have any more, or not yet, decides results until one knows better.
    """
    known = declared_keys()
    parts = key.split(".")
    around = (known.get(".".join(parts[: end + 1])) for end in range(len(parts)))
    roles = (each.role for each in around if each is not None)
    return next((role for role in roles if role is not Role.result), Role.result)


def changes_result(key: str) -> bool:
    """Tells whether another value of a key makes another experiment, or other evidence for its figures."""
    return role_of(key) in (Role.result, Role.evidence)


def _walk(schema: type, prefix: str) -> Iterator[Declared]:
    hints = get_type_hints(schema)
    for field in fields(schema):
        key, kind = f"{prefix}{field.name}", _without_null(hints[field.name])
        default = None if field.default is MISSING else field.default
        yield Declared(key, kind, field.metadata.get("role", Role.result), default)
        if isinstance(kind, type) and is_dataclass(kind):
            yield from _walk(kind, f"{key}.")


def _without_null(hint: Any) -> Any:
    """Returns ``X`` of ``X | None``."""
    others = [kind for kind in get_args(hint) if kind is not type(None)]
    optional = get_origin(hint) not in (dict, list) and len(others) == 1
    return others[0] if optional else hint
