"""The words behind ``python -m maxexp``, in an order that Hydra takes."""

from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from maxexp.base.errors import ConfigError


def overrides_first(words: Sequence[str]) -> list[str]:
    """The same command with its options behind all overrides: Hydra takes none between them.

    Raises:
        ConfigError: there is no such option, or its value is missing or wrong.
    """
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]  # its own prints a usage of twenty options
    overrides = parser.parse_intermixed_args(words).overrides
    return [*overrides, *(word for word in words if word not in overrides)]


def _refuse(message: str) -> NoReturn:
    raise ConfigError(f"{message}; 'python -m maxexp --help' shows how it is called, --hydra-help all options")
