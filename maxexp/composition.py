"""Configurations composed from ``conf/`` outside of the Hydra entry point."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from maxexp.config import NULL_GROUP, Config, explain, register_schema, to_config
from maxexp.errors import ConfigError


def conf_dir() -> str:
    """The configuration folder: inside the package where it was installed, else beside it in a checkout."""
    package = Path(str(resources.files("maxexp")))
    return str(next(d for d in (package / "conf", package.parent / "conf") if (d / "config.yaml").is_file()))


def compose_config(overrides: Sequence[str]) -> Config:
    """What ``python -m maxexp OVERRIDES`` would run.

    Raises:
        ConfigError: an override is unknown, of the wrong type or impossible; names it.
    """
    register_schema()
    try:
        with initialize_config_dir(conf_dir(), version_base="1.3"):
            return to_config(compose("config", overrides=list(overrides)))
    except (HydraException, OmegaConfBaseException, AssertionError) as error:
        if isinstance(error, AssertionError) and NULL_GROUP not in str(error):
            raise
        raise ConfigError(explain(error)) from error
