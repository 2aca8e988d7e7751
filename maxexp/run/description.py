"""What decides the cost of a network on the chip, composed from ``conf/`` without Hydra.

Hydra takes most of a second to import and to compose; the few groups that a network's cost depends on are read here
by the same rules. What needs more of Hydra, or is wrong, is left to it: there is one judge of what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maxexp.base.errors import FormatError, MaxexpError
from maxexp.base.shipped import conf_dir
from maxexp.base.yaml_file import read_yaml
from maxexp.chip.config import DeviceConfig
from maxexp.chip.cost import Cost, network_cost
from maxexp.data.config import DatasetConfig
from maxexp.network.config import NetworkConfig
from maxexp.network.graph import Network, build_network
from maxexp.quantization.config import QuantizationConfig
from maxexp.tasks.config import TaskConfig, check_task

GROUPS = {
    "model": NetworkConfig,
    "task": TaskConfig,
    "dataset": DatasetConfig,
    "quantization": QuantizationConfig,
    "device": DeviceConfig,
}
"""The groups that decide the cost."""
_OVERRIDE = re.compile(r"(?P<key>[a-z_]+(?:\.\w+)*)=(?P<value>[\w./-]+)", re.ASCII)
"""What is read here alike Hydra: one value for one key, without quotes."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_NUMBERS_IN_WORDS = ("nan", "inf")


@dataclass(frozen=True)
class Description:
    """A network for a data set and a chip, of which nothing has been trained."""

    model: NetworkConfig
    task: TaskConfig
    dataset: DatasetConfig
    quantization: QuantizationConfig
    device: DeviceConfig

    @cached_property
    def network(self) -> Network:
        """The layers with their shapes.

        Raises:
            NetworkError: they do not fit together.
            ConfigError: the network does not give what the task and the data set need.
        """
        network = build_network(self.model, self.dataset.shape)
        check_task(self.task, network, self.dataset)
        return network

    def cost(self) -> Cost:
        """Returns what one inference costs on the chip, by our model of it. Raises DeviceError if it does not fit."""
        return network_cost(self.network, self.quantization.bits(self.network), self.device)


def compose_description(overrides: Sequence[str]) -> Description:
    """Returns the description that ``python -m maxexp OVERRIDES`` would run.

    Raises:
        ConfigError: an override is unknown, of the wrong type or impossible; names it.
    """
    return _composed_here(overrides) or _composed_by_hydra(overrides)


def describe(groups: Mapping[str, Any]) -> Description:
    """Returns the description that typed values of all groups in :data:`GROUPS` give."""
    return Description(**{name: groups[name] for name in GROUPS})


def _composed_by_hydra(overrides: Sequence[str]) -> Description:
    from maxexp.run.composition import compose_config

    return describe(vars(compose_config(overrides)))


def _composed_here(overrides: Sequence[str]) -> Description | None:
    """The same for plain overrides of these groups that are right; None for all others."""
    matches = [_OVERRIDE.fullmatch(text) for text in overrides]
    pairs = [(match["key"], match["value"]) for match in matches if match]
    if len(pairs) != len(overrides) or any(key.partition(".")[0] not in GROUPS for key, _ in pairs):
        return None
    try:
        root = OmegaConf.create({name: _group(name, option) for name, option in _options(pairs).items()})
        for key, value in pairs:
            if "." in key:
                _set(root, key, value)
        return describe({name: _typed(root, name, schema) for name, schema in GROUPS.items()})
    except (MaxexpError, OmegaConfBaseException, OSError, LookupError, TypeError, ValueError):
        return None


def _options(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The choice of each group: of the overrides, else that of ``conf/config.yaml``."""
    listed = read_yaml(Path(conf_dir(), "config.yaml"))["defaults"]
    options = {group: option for entry in listed if isinstance(entry, dict) for group, option in entry.items()}
    chosen = {key: value for key, value in pairs if "." not in key}
    if len(chosen) != sum("." not in key for key, _ in pairs):
        raise FormatError("a group is chosen twice")
    return {name: chosen.get(name, options[name]) for name in GROUPS}


def _group(name: str, option: str) -> dict[str, Any]:
    """The content of the file that an option stands for; one that is composed of others is Hydra's."""
    path = Path(conf_dir(), name, f"{option}.yaml")
    if option.startswith(("/", "./", "../")):
        path = Path(option)
    elif not re.fullmatch(r"\w+", option, re.ASCII):
        raise FormatError("not the name of a file")
    content = read_yaml(path)
    if "defaults" in content or path.read_text(encoding="utf-8").startswith("# @"):
        raise FormatError("composed of other files")
    if not all("op" in layer for layer in content.get("layers", {}).values()):
        raise FormatError("a layer without an operation")
    return content


def _set(root: DictConfig, key: str, text: str) -> None:
    """Sets a key that is there, or one of a layer that is there."""
    parent = OmegaConf.select(root, key.rpartition(".")[0], throw_on_missing=True)
    layer = isinstance(parent, DictConfig) and "op" in parent
    if not layer and (not isinstance(parent, DictConfig) or key.rpartition(".")[2] not in parent):
        raise FormatError("no such key")
    OmegaConf.update(root, key, _value(text))


def _value(text: str) -> Any:
    words = {"null": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if text[0].isalpha() and text.lower() not in _NUMBERS_IN_WORDS:
        return text
    raise FormatError("a value that is not plain")


def _typed(root: DictConfig, name: str, schema: type) -> Any:
    plain = OmegaConf.to_container(root[name], resolve=True, throw_on_missing=True)
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), plain))
