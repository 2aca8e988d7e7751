"""What a caller asked for, as overrides of the configuration: the API composes as the command line does."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from maxexp.base.errors import ConfigError
from maxexp.run.description import Description, compose_description

if TYPE_CHECKING:
    from maxexp.schema.config import Config

Model = str | os.PathLike[str] | Mapping[str, Any]
"""A network: the name of a preset in ``conf/model``, a YAML file, or its content."""
Dataset = str | os.PathLike[str] | Mapping[str, Any]
"""A data set: the name of a preset in ``conf/dataset``, a folder of images by class, or keys of a set of images."""

IMAGES = "dataset=images"
_PLAIN = re.compile(r"[\w./-]+", re.ASCII)
_numbers = count(1)


@dataclass(frozen=True)
class Asked:
    """A network, a data set and further keys, as overrides; see :func:`ask`."""

    model: tuple[str, ...]
    dataset: tuple[str, ...]
    keys: tuple[str, ...] = ()

    @property
    def overrides(self) -> list[str]:
        """Returns the overrides as a command line has them."""
        return [*self.model, *self.dataset, *self.keys]

    def describe(self) -> Description:
        """Returns the description, without torch. Raises ConfigError where it is impossible."""
        return compose_description(self.overrides)

    def config(self, further: Sequence[str] = ()) -> Config:
        """Returns the configuration of a run. Raises ConfigError where it is impossible."""
        from maxexp.run.composition import compose_config

        return compose_config([*self.overrides, *further])


def ask(model: Model, dataset: Dataset, keys: Mapping[str, Any]) -> Asked:
    """Returns overrides for a network, a data set and further keys, of which None are left out."""
    return Asked(_model(model), dataset_overrides(dataset), key_overrides(keys))


def key_overrides(keys: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns ``KEY=VALUE`` for each key that is not None."""
    return tuple(f"{key}={_written(value)}" for key, value in keys.items() if value is not None)


def dataset_overrides(dataset: Dataset) -> tuple[str, ...]:
    """Returns the overrides that choose a data set.

    Raises:
        ConfigError: a folder is not there.
    """
    if isinstance(dataset, Mapping):
        return (IMAGES, *key_overrides({f"dataset.{key}": value for key, value in dataset.items()}))
    text = os.fspath(dataset)
    if isinstance(dataset, str) and text.isidentifier() and not Path(text).is_dir():
        return (f"dataset={text}",)
    if not Path(text).is_dir():
        raise ConfigError(f"dataset={text}: no such folder; give one with images in <class>/, or a preset's name")
    return (IMAGES, *key_overrides({"dataset.root": str(Path(text).absolute())}))


def _model(model: Model) -> tuple[str, ...]:
    if isinstance(model, Mapping):
        from hydra.core.config_store import ConfigStore

        # Options are files for Hydra: this one has a number, and is known to this process.
        name = f"mapping_{next(_numbers)}"
        ConfigStore.instance().store(name, OmegaConf.create(dict(model)), "model", "model", "mapping")
        return (f"model={name}",)
    text = os.fspath(model)
    if text.endswith((".yaml", ".yml")):
        text = str(Path(text).expanduser().absolute())
        if not Path(text).is_file():
            raise ConfigError(f"{os.fspath(model)}: no such file; give a YAML file with name and layers")
    return (f"model={_written(text)}",)


def _written(value: Any) -> str:
    """A value in Hydra's grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_written, value)) + "]"
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    from maxexp.base.languages.override import override_value  # only here: it imports Hydra

    return override_value(text)
