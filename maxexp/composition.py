"""Configurations composed from ``conf/`` outside of the Hydra entry point."""

from collections.abc import Sequence
from contextlib import nullcontext
from importlib import resources
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from maxexp.config import NULL_GROUP, Config, explain, register_schema, to_config
from maxexp.errors import ConfigError
from maxexp.network.graph import Network, build_network


def conf_dir() -> str:
    """The configuration folder: inside the package where it was installed, else beside it in a checkout."""
    package = Path(str(resources.files("maxexp")))
    return str(next(d for d in (package / "conf", package.parent / "conf") if (d / "config.yaml").is_file()))


def compose_config(overrides: Sequence[str], searchpath: Sequence[str] = ()) -> Config:
    """What ``python -m maxexp OVERRIDES`` would run.

    Args:
        searchpath: further configuration folders, as ``--config-dir`` names them.

    Raises:
        ConfigError: an override is unknown, of the wrong type or impossible; names it.
    """
    return to_config(compose_untyped(overrides, searchpath))


def described_network(config: Config) -> Network:
    """The network of a configuration, for its images and classes.

    Raises:
        NetworkError: its layers do not fit together.
        ConfigError: it has more or fewer outputs than the data set has classes.
    """
    network = build_network(config.model, config.dataset.shape)
    outputs, classes = network.out_features, config.dataset.num_classes
    if outputs != classes:
        raise ConfigError(
            f"model.layers.{network.layers[-1].name} gives {outputs} outputs, dataset.num_classes is {classes}; "
            'describe it with "${dataset.num_classes}", which follows the data set'
        )
    return network


def compose_untyped(overrides: Sequence[str], searchpath: Sequence[str] = (), with_hydra: bool = False) -> DictConfig:
    """The same as Hydra composes it, before it is resolved and checked.

    Args:
        searchpath: further configuration folders.
        with_hydra: whether Hydra's own settings are there, too, under ``hydra``.

    Raises:
        ConfigError: an override is unknown or of the wrong type; names it.
    """
    register_schema()
    paths = [f"hydra.searchpath=[{','.join(f'file://{path}' for path in searchpath)}]"] if searchpath else []
    # In a process that Hydra itself has started it is up already.
    running = GlobalHydra.instance().is_initialized()
    try:
        with nullcontext() if running else initialize_config_dir(conf_dir(), version_base="1.3"):
            return compose("config", overrides=[*overrides, *paths], return_hydra_config=with_hydra)
    except (HydraException, OmegaConfBaseException, AssertionError) as error:
        if isinstance(error, AssertionError) and NULL_GROUP not in str(error):
            raise
        raise ConfigError(explain(error)) from error
