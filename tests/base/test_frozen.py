"""Configurations cannot be changed; a changed one is another one."""

from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass, replace
from typing import get_args, get_type_hints

import pytest
from omegaconf import OmegaConf

from maxexp.base.frozen import frozen
from maxexp.schema.config import Config
from maxexp.sweep.search.config import SweepConfig


@frozen
@dataclass
class Inner:
    size: int = 1

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size")


@frozen
@dataclass
class Outer:
    inner: Inner
    further: Inner | None = None


def test_fields_are_set_once():
    inner = Inner(3)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'size' of Inner"):
        inner.size = 4
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'size' of Inner"):
        del inner.size
    assert (inner.size, replace(inner, size=4).size) == (3, 4)
    with pytest.raises(ValueError, match="size"):
        replace(inner, size=-1)


def test_omegaconf_fills_them():
    merged = OmegaConf.merge(OmegaConf.structured(Outer), {"inner": {"size": 2}, "further": {"size": 5}})
    assert OmegaConf.to_object(merged) == Outer(Inner(2), Inner(5))


def classes(schema: type) -> set[type]:
    """A configuration class with all that its fields may be."""
    found = {schema}
    for field in fields(schema):
        hint = get_type_hints(schema)[field.name]
        for kind in (hint, *get_args(hint)):
            if is_dataclass(kind):
                found |= classes(kind)
    return found


@pytest.mark.parametrize("schema", sorted(classes(Config) | classes(SweepConfig), key=str))
def test_every_configuration_class_is_frozen(schema):
    value = object.__new__(schema)
    name = fields(schema)[0].name
    setattr(value, name, None)
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)
