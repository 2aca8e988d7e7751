"""The typed schema of a whole run, and how a composed configuration becomes it."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maxexp.base.errors import ConfigError
from maxexp.base.frozen import frozen
from maxexp.board.config import BoardConfig
from maxexp.chip.config import DeviceConfig
from maxexp.data.config import AugmentationConfig, DatasetConfig
from maxexp.network.config import NetworkConfig
from maxexp.quantization.config import QuantizationConfig
from maxexp.run.explain import explain, no_such_key
from maxexp.synthesis.config import SynthesisConfig
from maxexp.tracking.config import TrackingConfig
from maxexp.training.config import RecipeConfig, TrainerConfig


class Stage(Enum):
    """Stages of a run, in the order in which they run."""

    train = "train"
    quantize = "quantize"
    evaluate = "evaluate"
    synthesize = "synthesize"
    deploy = "deploy"


@frozen
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

    Layers, augmentations, recipes and bits per layer stay open, so that the command line can add some without a "+",
    or set those that are null; they get their types in :func:`to_config`, as everything does in the end.
    """
    open_groups = (NetworkConfig, AugmentationConfig, RecipeConfig)
    groups = {f.name: f.type for f in fields(Config) if is_dataclass(f.type) and f.type not in open_groups}
    schema = OmegaConf.create({**groups, "model": {"layers": {}}, "augmentation": {}, "recipe": {}})
    for node in (schema.model.layers, schema.augmentation, schema.recipe, schema.quantization.layer_bits):
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
        raise ConfigError(explain(error, Config)) from error
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
            raise ConfigError(no_such_key(f"{prefix}{key}", known))
        _refuse_extra_keys(item, f"{prefix}{key}.")


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
