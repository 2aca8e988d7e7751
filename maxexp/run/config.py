"""The way from a composed configuration to the typed one, and from that to YAML and back."""

from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maxexp.base.errors import ConfigError
from maxexp.base.languages.override import literals
from maxexp.base.languages.yaml_text import omegaconf_yaml
from maxexp.base.secrets import values_without_secrets
from maxexp.base.text_keys import declare
from maxexp.data.augmentation.config import AugmentationConfig
from maxexp.network.config import NetworkConfig
from maxexp.run.counted_classes import with_counted_classes
from maxexp.run.explain import explain, no_such_key
from maxexp.run.typed_files import register_files
from maxexp.schema.config import Config, to_plain
from maxexp.training.config import RecipeConfig

declare("", Config)
declare("hydra", HydraConf)


@cache
def register_schema() -> None:
    """Makes the types of the groups available to ``conf/config.yaml`` as ``schema``.

    Layers, augmentations, recipes, bits per layer and callbacks stay open, so that the command line can add some
    without a "+", or set those that are null; they get their types in :func:`to_config`, as everything does at last.
    """
    open_groups = (NetworkConfig, AugmentationConfig, RecipeConfig)
    groups = {f.name: f.type for f in fields(Config) if is_dataclass(f.type) and f.type not in open_groups}
    schema = OmegaConf.create({**groups, "model": {"layers": {}}, "augmentation": {}, "recipe": {}})
    for node in (
        schema.model.layers,
        schema.augmentation,
        schema.recipe,
        schema.quantization.layer_bits,
        schema.trainer.callbacks,
    ):
        OmegaConf.set_struct(node, False)
    ConfigStore.instance().store(name="schema", node=schema)
    register_files()


def to_config(composed: DictConfig | ListConfig) -> Config:
    """Resolves and validates a composed configuration.

    Raises:
        ConfigError: a value is missing, of the wrong type, or impossible; names the key.
    """
    try:
        composed = with_counted_classes(composed)
        plain = OmegaConf.create(literals(OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)))
        layers = OmegaConf.select(plain, "model.layers")
        if not isinstance(layers, DictConfig):
            raise ConfigError(f"model.layers={layers}: must be layers by name, as layers: {{conv1: {{op: conv2d}}}}")
        _refuse_unknown_layers(layers)
        config: Any = OmegaConf.to_object(OmegaConf.unsafe_merge(OmegaConf.structured(Config), plain))
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error, Config)) from error
    except RecursionError as error:
        raise ConfigError(
            "a value has hundreds of levels within each other, and no key takes such; leave it out"
        ) from error
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
    """The resolved configuration, without secrets, as YAML from which the run can be repeated."""
    return omegaconf_yaml(literals(values_without_secrets(to_plain(config))))
