"""Keys that hold addresses of servers and databases, whose secrets leave the configuration before it is written."""

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


def with_kept_secrets(overrides: Sequence[str]) -> list[str]:
    """Returns overrides whose addresses have no secrets; :func:`maxexp.base.secrets.complete` puts them back."""
    return [_kept(line) if line.partition("=")[0].lstrip("+") in KEYS else line for line in overrides]


def keep_secrets(config: DictConfig) -> None:
    """Takes the secrets out of the addresses of a composed configuration, such as those that a file gave."""
    for key in KEYS:
        with suppress(OmegaConfBaseException):  # a reference that leads nowhere is told when it is needed
            address = OmegaConf.select(config, key)
            if isinstance(address, str) and keep(address) != address:
                with read_write(config), open_dict(config):
                    OmegaConf.update(config, key, keep(address))


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
