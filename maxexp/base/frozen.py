"""Configurations that stay as they were recorded."""

from dataclasses import FrozenInstanceError
from typing import Any, TypeVar

T = TypeVar("T")


def frozen(cls: type[T]) -> type[T]:
    """Makes each field of a dataclass final once its constructor has set it; ``dataclasses.replace`` makes another.

    Not ``dataclass(frozen=True)``: OmegaConf takes the nodes of such a class for read-only, and can neither merge a
    composed configuration into them nor let Hydra set their keys.
    """

    def set_once(self: Any, name: str, value: Any) -> None:
        if name in vars(self):
            raise FrozenInstanceError(f"cannot assign to field {name!r} of {type(self).__name__}; use replace()")
        object.__setattr__(self, name, value)

    def keep(self: Any, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r} of {type(self).__name__}")

    cls.__setattr__ = set_once  # type: ignore[assignment, method-assign]
    cls.__delattr__ = keep  # type: ignore[assignment, method-assign]
    return cls
