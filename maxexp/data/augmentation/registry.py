"""The augmentations that there are: one file of :mod:`maxexp.data.augmentation.entries` for each.

A file has a dataclass of the augmentation's keys, which is called with a batch and a generator. It imports torch in
that call only: to read and check a configuration takes no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple, TypeVar

from maxexp.data.augmentation import entries

T = TypeVar("T", bound=type)


class Domain(Enum):
    """What an augmentation is called with, a batch (N, C, H, W) with one draw for each image; in this order."""

    moves = "whole pixels are moved: crop and flip, both in one step"
    values = "float32 pixels from 0 to 255, which are rounded to 8 bits afterwards, as a camera would give them"
    pixels = "uint8 pixels, the last thing before they become signed numbers"


class Entry(NamedTuple):
    """An augmentation: its key in the configuration, its class, and when it is applied."""

    name: str
    kind: type
    domain: Domain
    order: int


_ENTRIES: dict[str, Entry] = {}


def augmentation(name: str, domain: Domain, order: int) -> Callable[[T], T]:
    """Makes a dataclass known as an augmentation.

    Args:
        name: its key, ``augmentation.NAME``.
        order: among the augmentations of its domain, the lowest first.
    """

    def register(kind: T) -> T:
        _ENTRIES[name] = Entry(name, kind, domain, order)
        return kind

    return register


@cache
def all_entries() -> tuple[Entry, ...]:
    """Every augmentation, in the order in which they are applied."""
    for module in iter_modules(entries.__path__):
        import_module(f"{entries.__name__}.{module.name}")
    domains = list(Domain)
    return tuple(sorted(_ENTRIES.values(), key=lambda entry: (domains.index(entry.domain), entry.order)))
