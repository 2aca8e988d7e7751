"""The words behind ``python -m maxexp``, in an order that Hydra takes."""

from argparse import Namespace
from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from maxexp.base.errors import ConfigError
from maxexp.run.addresses import with_kept_secrets
from maxexp.run.typed_overrides import as_typed

EXCLUSIVE = ("run", "multirun", "cfg", "info", "shell_completion")
"""Options of which Hydra takes one."""


def overrides_first(words: Sequence[str]) -> list[str]:
    """The same command with its options behind all overrides: Hydra takes none between them.

    Texts are in quotes where Hydra would take them for numbers, and addresses have no secrets any more.

    Raises:
        ConfigError: there is no such option, or its value is missing or wrong.
    """
    overrides = _parsed(words).overrides
    others = [word for word in words if word not in overrides]
    return [*with_kept_secrets(as_typed(overrides)), *others]


def check_words(words: Sequence[str]) -> None:
    """Refuses what Hydra would answer with a traceback.

    Raises:
        ConfigError: two options exclude one another, or one makes no sense alone.
    """
    options = _parsed(words)
    chosen = [f"--{name}" for name in EXCLUSIVE if getattr(options, name)]
    if len(chosen) > 1:
        raise ConfigError(f"{' and '.join(chosen)} exclude one another; leave {' or '.join(chosen)} out")
    if options.resolve and not (options.cfg or options.help):
        raise ConfigError("--resolve is for a configuration that is shown; write --cfg job --resolve")


def _parsed(words: Sequence[str]) -> Namespace:
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]  # its own prints a usage of twenty options
    return parser.parse_intermixed_args(words)


def _refuse(message: str) -> NoReturn:
    raise ConfigError(f"{message}; 'python -m maxexp --help' shows how it is called, --hydra-help all options")
