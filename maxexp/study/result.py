"""What a study keeps of a finished run, and whether a file's content is that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from maxexp.base.errors import FormatError


@dataclass(frozen=True)
class Result:
    """What a finished run gave; enough to tabulate and to repeat it where the store is gone.

    Attributes:
        entry: of the study.
        command: that repeats it.
        data: digest of each data set that it used, by name.
        curves: points (epoch, value) by metric.
    """

    entry: str
    seed: int
    command: str
    run_id: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    data: Mapping[str, str]
    curves: Mapping[str, list[tuple[int, float]]]

    @classmethod
    def from_plain(cls, plain: Any) -> Result:
        """Returns what ``asdict`` made of a result, by way of JSON.

        Raises:
            FormatError: it is something else; names the key.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(plain, dict) or plain.keys() != names:
            raise FormatError(f"a result has the keys {', '.join(sorted(names))}")
        for key, value in plain.items():
            if not _FORMS[key](value):
                raise FormatError(f"{key} cannot be {str(value)[:60]}")
        return cls(**plain)


def _mapping(value: Any, inner: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(inner, value.values()))


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return _mapping(value, _text)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _points(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(p, list) and len(p) == 2 and all(map(_number, p)) for p in value
    )


_FORMS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("entry", "command", "run_id"), _text),
    **dict.fromkeys(("params", "tags", "data"), _texts),
    "seed": lambda value: isinstance(value, int),
    "metrics": lambda value: _mapping(value, _number),
    "curves": lambda value: _mapping(value, _points),
}
"""Whether a value is what a result has under a key."""
