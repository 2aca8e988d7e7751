"""Optimizer and learning-rate schedule of one training phase."""

from collections.abc import Iterable, Mapping

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, MultiStepLR, OneCycleLR

from maxexp.training.chosen import Interval, make_optimizer, make_schedule, parameter_groups
from maxexp.training.config import RecipeConfig


def build_optimizer(recipe: RecipeConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The recipe's optimizer; weight decay acts on weights, not on biases and normalization."""
    if isinstance(recipe.optimizer, Mapping):
        return make_optimizer(
            "recipe.optimizer", recipe.optimizer, parameters, recipe.learning_rate, recipe.weight_decay
        )
    groups = parameter_groups(parameters, recipe.weight_decay)
    if recipe.optimizer == "sgd":
        # Nesterov's form needs momentum.
        momentum = recipe.momentum
        return torch.optim.SGD(groups, recipe.learning_rate, momentum=momentum, nesterov=momentum > 0, fused=True)
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, recipe.learning_rate, fused=True)


def build_schedule(
    recipe: RecipeConfig, optimizer: torch.optim.Optimizer, steps: int, epochs: int
) -> tuple[LRScheduler, Interval]:
    """The recipe's schedule, and whether it is stepped after every batch or every epoch.

    Args:
        steps: batches of the phase, all epochs together.
        epochs: of the phase.
    """
    if isinstance(recipe.schedule, Mapping):
        return make_schedule("recipe.schedule", recipe.schedule, optimizer, steps, epochs)
    return _named_schedule(recipe, optimizer, steps), "step"


def _named_schedule(recipe: RecipeConfig, optimizer: torch.optim.Optimizer, steps: int) -> LRScheduler:
    if recipe.schedule == "onecycle":
        peaks = [group["lr"] for group in optimizer.param_groups]
        # It divides by the steps between its first step and its peak, of which there must be some.
        rise = recipe.warmup if recipe.warmup * steps > 1 else 0.0
        # The momentum is the recipe's: by default torch would replace it by a cycle of its own, Adam's beta1 too.
        return OneCycleLR(optimizer, peaks, total_steps=steps, pct_start=rise, cycle_momentum=False)
    if recipe.schedule == "cosine":
        return CosineAnnealingLR(optimizer, steps)
    if recipe.schedule == "multistep":
        milestones = [round(share * steps) for share in recipe.milestones]
        return MultiStepLR(optimizer, milestones, recipe.gamma)
    return LambdaLR(optimizer, lambda step: 1.0)
