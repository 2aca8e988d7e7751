"""Registries that are folders: one module for each entry, found by looking."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def members(package: str, attribute: str) -> dict[str, Any]:
    """Returns what each module of a package defines under one name.

    Args:
        package: dotted name; the package may be the one that is just being imported.
        attribute: the name that every module of it defines.

    Returns:
        The values by module name, in alphabetical order.
    """
    names = sorted(module.name for module in iter_modules(import_module(package).__path__))
    return {name: getattr(import_module(f"{package}.{name}"), attribute) for name in names}
