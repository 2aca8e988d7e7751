"""Keys that hold secrets, which leave the configuration before it is written: addresses, environment variables."""

import os
from collections.abc import Sequence
from contextlib import suppress

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from maxexp.base.languages.override import override_value
from maxexp.base.secrets import keep

KEYS = ("tracking.uri", "hydra.sweeper.storage")
ENVIRONMENT = "hydra.job.env_set"
"""Key with environment variables that Hydra sets, by name; which of them are tokens nobody can tell."""


def with_kept_secrets(overrides: Sequence[str]) -> list[str]:
    """Returns overrides whose addresses have no secrets; :func:`maxexp.base.secrets.complete` puts them back."""
    return [_kept(line) if line.partition("=")[0].lstrip("+") in KEYS else line for line in overrides]


def keep_secrets(config: DictConfig) -> None:
    """Takes the secrets out of a composed configuration, such as those that a file gave."""
    with read_write(config), open_dict(config):
        _keep_environment(config)
    for key in KEYS:
        with suppress(OmegaConfBaseException):  # a reference that leads nowhere is told when it is needed
            address = OmegaConf.select(config, key)
            if isinstance(address, str) and keep(address) != address:
                with read_write(config), open_dict(config):
                    OmegaConf.update(config, key, keep(address))


def _keep_environment(config: DictConfig) -> None:
    """Sets the environment variables that Hydra would set, for this process and its children, and forgets them."""
    given = OmegaConf.select(config, ENVIRONMENT)
    if not given:
        return
    os.environ.update({name: str(value) for name, value in given.items()})
    OmegaConf.update(config, ENVIRONMENT, {}, merge=False)
    typed = config.hydra.overrides.hydra
    config.hydra.overrides.hydra = [line for line in typed if not line.lstrip("+").startswith(ENVIRONMENT)]


def _kept(line: str) -> str:
    try:
        override = OverridesParser.create().parse_override(line)
    except HydraException:
        return line  # it is refused when it is composed
    value = override._value
    choices = value.list if isinstance(value, ChoiceSweep) else [value]
    addresses = [each.text if isinstance(each, QuotedString) else each for each in choices]
    if not any(isinstance(each, str) and keep(each) != each for each in addresses):
        return line
    return f"{override.get_key_element()}={','.join(override_value(keep(str(each))) for each in addresses)}"
