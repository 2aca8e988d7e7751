"""Configurations composed from ``conf/`` outside of the Hydra entry point."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from maxexp.base.errors import ConfigError
from maxexp.base.languages.override import override_value
from maxexp.base.shipped import conf_dir
from maxexp.network.graph import Network, build_network
from maxexp.run.config import register_schema, to_config
from maxexp.run.explain import explain
from maxexp.run.typed_overrides import as_typed
from maxexp.schema.config import Config
from maxexp.tasks.config import check_task

COMPOSING = {
    "maxexp.run.composition",
    "maxexp.base.yaml_file",
    "maxexp.run.typed_files",
    "maxexp.run.typed_overrides",
    "maxexp.cli.run",
    "maxexp.run.config",
}
"""Modules of ours that call Hydra and OmegaConf, and do nothing else meanwhile."""


def compose_config(overrides: Sequence[str], searchpath: Sequence[str] = ()) -> Config:
    """Returns the configuration that ``python -m maxexp OVERRIDES`` would run.

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
        ConfigError: it does not give what the task and the data set need.
    """
    network = build_network(config.model, config.dataset.shape)
    check_task(config.task, network, config.dataset)
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
    folders = ",".join(override_value(f"file://{path}") for path in searchpath)
    paths = [f"hydra.searchpath=[{folders}]"] if searchpath else []
    # In a process that Hydra itself has started it is up already.
    running = GlobalHydra.instance().is_initialized()
    where = nullcontext() if running else initialize_config_dir(conf_dir(), version_base="1.3")
    with translate_composition_errors(), where:
        return compose("config", overrides=[*as_typed(overrides), *paths], return_hydra_config=with_hydra)


@contextmanager
def translate_composition_errors() -> Iterator[None]:
    """Turns what is raised for a wrong override, or a file that is no YAML, into one line.

    Raises:
        ConfigError: names the override or the file, what is wrong with it and what is allowed.
    """
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(explain(error, Config)) from error
    except (ValueError, TypeError, OSError, AttributeError, AssertionError, LookupError, RecursionError) as error:
        if not _while_composing(error):
            raise
        raise ConfigError(explain(error, Config)) from error


def _while_composing(error: Exception) -> bool:
    """Tells whether Hydra or OmegaConf, or what they call, raised an error: one of our own is a defect with a
    traceback."""
    modules = [frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = {name for name in modules if name.startswith("maxexp.")} - COMPOSING
    theirs = any(name.startswith(("hydra.", "omegaconf.")) for name in modules)
    return theirs and not ours and not modules[-1].startswith("maxexp.")
