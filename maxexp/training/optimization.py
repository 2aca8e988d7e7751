"""Optimizer and learning-rate schedule of one training phase."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, MultiStepLR, OneCycleLR

from maxexp.training.config import Optimizer, RecipeConfig, Schedule


def build_optimizer(recipe: RecipeConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The recipe's optimizer; weight decay acts on weights, not on biases and normalization."""
    parameters = list(parameters)
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer is Optimizer.sgd:
        # Nesterov's form needs momentum.
        momentum = recipe.momentum
        return torch.optim.SGD(groups, recipe.learning_rate, momentum=momentum, nesterov=momentum > 0, fused=True)
    kind = torch.optim.Adam if recipe.optimizer is Optimizer.adam else torch.optim.AdamW
    return kind(groups, recipe.learning_rate, fused=True)


def build_schedule(recipe: RecipeConfig, optimizer: torch.optim.Optimizer, steps: int) -> LRScheduler:
    """The recipe's schedule, stepped after every batch.

    Args:
        steps: batches of the phase, all epochs together.
    """
    if recipe.schedule is Schedule.onecycle:
        peaks = [group["lr"] for group in optimizer.param_groups]
        # It divides by the steps between its first step and its peak, of which there must be some.
        rise = recipe.warmup if recipe.warmup * steps > 1 else 0.0
        # The momentum is the recipe's: by default torch would replace it by a cycle of its own, Adam's beta1 too.
        return OneCycleLR(optimizer, peaks, total_steps=steps, pct_start=rise, cycle_momentum=False)
    if recipe.schedule is Schedule.cosine:
        return CosineAnnealingLR(optimizer, steps)
    if recipe.schedule is Schedule.multistep:
        milestones = [round(share * steps) for share in recipe.milestones]
        return MultiStepLR(optimizer, milestones, recipe.gamma)
    return LambdaLR(optimizer, lambda step: 1.0)
