"""The typed schema of a whole run, and how a composed configuration becomes it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

from hydra.core.config_store import ConfigStore
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from maxexp.board.config import BoardConfig
from maxexp.data.config import AugmentationConfig, DatasetConfig
from maxexp.device.config import DeviceConfig
from maxexp.errors import ConfigError
from maxexp.network.config import NetworkConfig
from maxexp.quantization.config import QuantizationConfig
from maxexp.synthesis.config import SynthesisConfig
from maxexp.tracking.config import TrackingConfig
from maxexp.training.config import RecipeConfig, TrainerConfig

NULL_GROUP = "Unexpected type for root: NoneType"
"""How OmegaConf says, by an AssertionError, that an override goes into a group that is null."""
LIST_KEY = "invalid literal for int() with base 10: "
"""How it says, by a ValueError, that an override names a key of a list."""


class Stage(Enum):
    """Stages of a run, in the order in which they run."""

    train = "train"
    quantize = "quantize"
    evaluate = "evaluate"
    synthesize = "synthesize"
    deploy = "deploy"


@dataclass
class Config:
    """Every key of a run; the groups are documented where they are defined."""

    model: NetworkConfig
    dataset: DatasetConfig
    augmentation: AugmentationConfig
    quantization: QuantizationConfig
    recipe: RecipeConfig
    trainer: TrainerConfig
    device: DeviceConfig
    synthesis: SynthesisConfig
    board: BoardConfig
    tracking: TrackingConfig
    seed: int = 1
    stages: list[Stage] = field(default_factory=lambda: list(Stage))
    checkpoint: str | None = None
    resume: str | None = None

    def __post_init__(self) -> None:
        if not self.stages:
            raise ConfigError(f"stages=[]: give at least one of {', '.join(s.name for s in Stage)}")
        for key in ("checkpoint", "resume"):
            if getattr(self, key) == "":
                raise ConfigError(f"{key}= is empty: give a value, or leave it out")
        if self.seed < 0:
            raise ConfigError(f"seed={self.seed}: must not be negative")


def register_schema() -> None:
    """Make the types of the groups available to ``conf/config.yaml`` as ``schema``.

    Layers, augmentations and bits per layer stay open, so that the command line can add some without a "+";
    they get their types in :func:`to_config`, as everything does in the end.
    """
    open_groups = (NetworkConfig, AugmentationConfig)
    groups = {f.name: f.type for f in fields(Config) if is_dataclass(f.type) and f.type not in open_groups}
    schema = OmegaConf.create({**groups, "model": {"layers": {}}, "augmentation": {}})
    for node in (schema.model.layers, schema.augmentation, schema.quantization.layer_bits):
        OmegaConf.set_struct(node, False)
    ConfigStore.instance().store(name="schema", node=schema)


def to_config(composed: DictConfig | ListConfig) -> Config:
    """Resolve and validate a composed configuration.

    Raises:
        ConfigError: a value is missing, of the wrong type, or impossible; names the key.
    """
    try:
        plain = OmegaConf.create(OmegaConf.to_container(composed, resolve=True, throw_on_missing=True))
        _refuse_unknown_layers(plain.model.layers)
        config: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Config), plain))
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error)) from error
    _refuse_extra_keys(config, "")
    return config


def _refuse_unknown_layers(layers: DictConfig) -> None:
    """Layers without an operation: a misspelt name on the command line would otherwise be one more layer."""
    unknown = [str(name) for name, layer in layers.items() if isinstance(layer, DictConfig) and "op" not in layer]
    known = ", ".join(str(name) for name in layers if name not in unknown) or "none"
    if unknown:
        key = f"model.layers.{unknown[0]}"
        raise ConfigError(f"{key}: no such layer; there are {known}; a new one needs {key}.op")


def _refuse_extra_keys(value: Any, prefix: str) -> None:
    """Keys added with ``+key=value`` that the schema does not know; OmegaConf lets them pass."""
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_extra_keys(item, f"{prefix}{key}.")
    if not is_dataclass(value):
        return
    known = [f.name for f in fields(value)]
    for key, item in vars(value).items():
        if key not in known:
            raise ConfigError(_no_such_key(f"{prefix}{key}", known))
        _refuse_extra_keys(item, f"{prefix}{key}.")


def _no_such_key(key: str, allowed: list[str]) -> str:
    return f"{key}: no such key; allowed are {', '.join(allowed)}"


def _no_such_hydra_key(key: str, group: Iterable[Any]) -> str:
    """The same within ``hydra``, whose keys are those that are there: ours, as its sweeper, or Hydra's own."""
    there = ", ".join(str(name) for name in group if not str(name).startswith("_")) or "none"
    # A mapping below the keys of a group, as hydra.sweeper.final, may have been given in part.
    add = f"; to add one write +{key}=VALUE" if key.count(".") > 2 else ""
    return f"{key}: no such key; there are {there}{add}"


def explain(error: Exception) -> str:
    """One line for an error of Hydra, OmegaConf or YAML: the key or file, what is wrong, what is allowed."""
    if isinstance(error, YAMLError):
        return _explain_yaml(error)
    if NULL_GROUP in str(error):
        return (
            "a key is set in a group that is not there: board.connection needs a real board (board=max78000fthr), "
            "recipe.distillation a teacher (recipe=distill)"
        )
    if LIST_KEY in str(error):
        name = str(error).partition(LIST_KEY)[2]
        return f"{name}: a list has no such key; set the whole list, as stages=[train,evaluate]"
    cause: BaseException = error
    while not isinstance(cause, OmegaConfBaseException) and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, MissingMandatoryValue) or "MissingMandatoryValue" in str(cause):
        named = isinstance(cause, MissingMandatoryValue) and cause.full_key
        missing = named or str(cause).splitlines()[0].rpartition(": ")[2]
        return f"{missing}: a value is needed; give it as {missing}=..."
    if not isinstance(cause, OmegaConfBaseException):
        return _explain_hydra(error)
    text = (cause.msg or str(cause)).splitlines()[0]
    key = cause.full_key or ""
    if "is not a ListConfig" in text:
        return f"{key}: a list is needed; write {key}=[VALUE,VALUE]"
    if text.endswith("is not in struct"):
        group = key.split(".")[0]
        if group == "hydra":
            return _no_such_hydra_key(key, cause.parent_node or ())
        schema = get_type_hints(Config).get(group, Config)
        if not is_dataclass(schema):
            return f"{key}: no such key; {group} is a single value, write {group}=VALUE"
        return _no_such_key(key, [f.name for f in fields(schema)])
    if is_dataclass(cause.object_type) and "not in" in text:
        return _no_such_key(key, [f.name for f in fields(cause.object_type)])
    return f"{key}: {text}" if key and key not in text else text


def _explain_hydra(error: Exception) -> str:
    text = " ".join(str(error).split("Config search path")[0].split())
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = (error.missing_cfg_file or "").rpartition("/")
        return f"{group}={name}: no such choice; there are {', '.join(error.options)}"
    if isinstance(error, OverrideParseException):
        return (
            f"{error.override}: not of the form KEY=VALUE; presets are +experiment=NAME and +sweep=NAME, values with "
            "other characters than letters, digits and ._-/ may need quotes"
        )
    if added := re.search(r"default list use (\+\S+)", text):
        return f"{added[1][1:]}: write {added[1]}, for it adds to the configuration"
    if twice := re.search(r"Multiple values for .*'override (\S+): (\S+)'", text):
        group, option = twice.groups()
        return (
            f"{group} is chosen twice: on the command line write {group}={option} without +, in the defaults of a "
            f"file 'override /{group}: {option}'"
        )
    return text


def _explain_yaml(error: YAMLError) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"{mark.name}, line {mark.line + 1}, column {mark.column + 1}: {error.problem}; mend the file"
    return f"a YAML file cannot be read: {' '.join(str(error).split())}"


def read_yaml(path: Path) -> Config:
    """The configuration that :func:`to_yaml` wrote."""
    return to_config(OmegaConf.load(path))


def to_yaml(config: Config) -> str:
    """The resolved configuration as YAML, from which the run can be repeated."""
    return OmegaConf.to_yaml(OmegaConf.create(to_plain(config)))


def keys_at_default(config: Any, prefix: str = "") -> Iterator[str]:
    """The keys, dotted, of a typed configuration that have their default."""
    if isinstance(config, dict):
        for name, value in config.items():
            yield from keys_at_default(value, f"{prefix}{name}.")
    elif is_dataclass(config):
        for f in fields(config):
            value = getattr(config, f.name)
            default = f.default if f.default_factory is MISSING else f.default_factory()
            if value == default:
                yield f"{prefix}{f.name}"
            yield from keys_at_default(value, f"{prefix}{f.name}.")


def to_plain(config: Any) -> Any:
    """Nested dicts, lists, strings and numbers of a configuration; enums by name."""
    if isinstance(config, Enum):
        return config.name
    if is_dataclass(config):
        return {f.name: to_plain(getattr(config, f.name)) for f in fields(config)}
    if isinstance(config, dict):
        return {key: to_plain(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [to_plain(value) for value in config]
    return config
