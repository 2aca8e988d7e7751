"""Optimizers and schedules that a recipe names by their class (``_target_``), of torch or of another library."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from maxexp.base.errors import ConfigError
from maxexp.base.instantiation import build, check_arguments

INTERVAL = "interval"
"""Of a schedule: whether it is stepped after each epoch (the default) or after each step."""

LENGTHS = ("T_max", "total_steps", "total_iters")
"""Arguments of schedules that are the length of the phase, in its intervals, where they are not given."""

Interval = Literal["epoch", "step"]


def make_optimizer(
    key: str,
    chosen: Mapping[str, Any],
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    weight_decay: float,
) -> Optimizer:
    """The optimizer that a mapping names; weight decay acts on weights, not on biases and normalization.

    Args:
        key: of the mapping, for messages.

    Raises:
        ConfigError: no such optimizer, wrong arguments, or it knows no weight decay and there is to be some.
    """
    supplied = {"params": (), "lr": learning_rate, "weight_decay": weight_decay}
    ours = {"lr": "recipe.learning_rate", "weight_decay": "recipe.weight_decay"}
    found = check_arguments(key, chosen, Optimizer, supplied, ours)
    decays = "weight_decay" in inspect.signature(found).parameters
    if weight_decay and not decays:
        raise ConfigError(f"recipe.weight_decay={weight_decay}: {found.__name__} has none; set recipe.weight_decay=0")
    groups = parameter_groups(parameters, weight_decay) if decays else list(parameters)
    optimizer: Optimizer = build(key, chosen, Optimizer, params=groups, lr=learning_rate)
    return optimizer


def make_schedule(
    key: str, chosen: Mapping[str, Any], optimizer: Optimizer, steps: int, epochs: int
) -> tuple[LRScheduler, Interval]:
    """The schedule that a mapping names, and after what it is stepped.

    Args:
        key: of the mapping, for messages.
        steps, epochs: length of the phase.

    Raises:
        ConfigError: no such schedule, or wrong arguments.
    """
    arguments = {name: value for name, value in chosen.items() if name != INTERVAL}
    interval = chosen.get(INTERVAL, "epoch")
    if interval not in ("epoch", "step"):
        raise ConfigError(f"{key}.{INTERVAL}={interval}: must be epoch or step")
    open_lengths = [name for name in LENGTHS if name not in arguments]
    found = check_arguments(key, arguments, LRScheduler, ("optimizer", *open_lengths))
    if interval == "step" and issubclass(found, ReduceLROnPlateau):
        raise ConfigError(f"{key}.{INTERVAL}=step: {found.__name__} looks at the validation, once in an epoch")
    taken = [name for name in open_lengths if name in inspect.signature(found).parameters]
    lengths = dict.fromkeys(taken, steps if interval == "step" else epochs)
    return build(key, {**arguments, **lengths}, LRScheduler, optimizer=optimizer), interval


def check_optimizer(key: str, chosen: Mapping[str, Any], weight_decay: float) -> None:
    """Makes the optimizer once, of two made-up parameters. Raises ConfigError as :func:`make_optimizer`."""
    made_up = [nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(2))]
    make_optimizer(key, chosen, made_up, 0.1, weight_decay)


def check_schedule(key: str, chosen: Mapping[str, Any]) -> None:
    """Makes the schedule once, of a made-up phase. Raises ConfigError as :func:`make_schedule`."""
    make_schedule(key, chosen, torch.optim.SGD([nn.Parameter(torch.zeros(2))], 0.1, momentum=0.9), 100, 10)


def parameter_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Returns the weights, which decay, and biases and normalization, which do not."""
    parameters = list(parameters)
    return [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
