"""Callbacks of Lightning that a configuration names by their class (``_target_``)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any

from pytorch_lightning import Callback
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from maxexp.base.errors import ConfigError, in_one_line
from maxexp.base.instantiation import build

KEY = "trainer.callbacks"


def make_callbacks(chosen: Mapping[str, Any]) -> dict[str, Callback]:
    """Returns the new callbacks, by the names that the configuration gives them; null is none.

    Raises:
        ConfigError: no such callback, wrong arguments, or one that writes checkpoints of its own.
    """
    callbacks: dict[str, Callback] = {
        name: build(f"{KEY}.{name}", arguments, Callback)
        for name, arguments in chosen.items()
        if arguments is not None
    }
    for name, callback in callbacks.items():
        if isinstance(callback, Checkpoint):
            raise ConfigError(f"{KEY}.{name}: the record keeps the best network and the newest checkpoints already")
    return callbacks


@contextmanager
def callback_errors(callbacks: Mapping[str, Callback]) -> Iterator[None]:
    """Turns a callback's error about a setting that this training lacks into one line that names the
    callback.

    Raises:
        ConfigError: for example a monitored metric that no epoch has.
    """
    try:
        yield
    except (RuntimeError, MisconfigurationException) as error:
        frames = [frame.f_locals.get("self") for frame, _ in walk_tb(error.__traceback__)]
        guilty = [name for name, callback in callbacks.items() if any(each is callback for each in frames)]
        if not guilty and not (callbacks and isinstance(error, MisconfigurationException)):
            raise
        key = f"{KEY}.{guilty[0]}" if guilty else KEY
        raise ConfigError(f"{key}: {in_one_line(error)}") from error
