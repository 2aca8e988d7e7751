"""Optimizers and schedules of the recipes."""

import pytest
import torch
from torch import nn

from maxexp.base.errors import ConfigError
from maxexp.training.config import Optimizer, RecipeConfig, Schedule, TrainerConfig
from maxexp.training.optimization import build_optimizer, build_schedule

STEPS = 200


def rates(recipe: RecipeConfig) -> list[float]:
    """Learning rate before each step of a phase."""
    optimizer = build_optimizer(recipe, nn.Linear(2, 2).parameters())
    schedule = build_schedule(recipe, optimizer, STEPS)
    seen = []
    for _ in range(STEPS):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_onecycle_rises_to_its_peak_and_falls_to_nothing():
    seen = rates(RecipeConfig(schedule=Schedule.onecycle, learning_rate=0.01, warmup=0.25))
    assert max(seen) == pytest.approx(0.01, rel=1e-3)
    assert seen.index(max(seen)) == pytest.approx(0.25 * STEPS, abs=2)
    assert seen[-1] < 1e-5


@pytest.mark.parametrize("kind", list(Optimizer))
def test_onecycle_leaves_the_momentum_alone(kind):
    optimizer = build_optimizer(RecipeConfig(optimizer=kind, momentum=0.7), nn.Linear(2, 2).parameters())
    before = [(group.get("momentum"), group.get("betas")) for group in optimizer.param_groups]
    build_schedule(RecipeConfig(schedule=Schedule.onecycle), optimizer, STEPS)
    assert [(group.get("momentum"), group.get("betas")) for group in optimizer.param_groups] == before


@pytest.mark.parametrize("warmup", [0.1, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("steps", [1, 2, 5, 10])
def test_onecycle_of_very_few_steps(warmup, steps):
    """The default warmup of five steps, one epoch of 640 images, once ended in a division by zero."""
    optimizer = build_optimizer(RecipeConfig(), nn.Linear(2, 2).parameters())
    schedule = build_schedule(RecipeConfig(schedule=Schedule.onecycle, warmup=warmup), optimizer, steps)
    for _ in range(steps - 1):
        optimizer.step()
        schedule.step()
    assert 0 <= optimizer.param_groups[0]["lr"] <= RecipeConfig().learning_rate


def test_cosine_falls_from_its_peak():
    seen = rates(RecipeConfig(schedule=Schedule.cosine, learning_rate=0.01))
    assert seen[0] == pytest.approx(0.01)
    assert seen[STEPS // 2] == pytest.approx(0.005)
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("steps", [7, 40])
def test_multistep_begins_at_its_peak_in_the_shortest_phase(steps):
    """One epoch of quantization-aware training: its rate fell before the first step, shares being of whole epochs."""
    recipe = RecipeConfig(schedule=Schedule.multistep, milestones=[0.33, 0.5, 0.67], gamma=0.5)
    optimizer = build_optimizer(recipe, nn.Linear(2, 2).parameters())
    schedule = build_schedule(recipe, optimizer, steps)
    seen = set()
    for _ in range(steps):
        seen.add(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert sorted(seen, reverse=True) == pytest.approx([recipe.learning_rate * 0.5**falls for falls in range(4)])


def test_multistep_falls_at_shares_of_the_phase():
    recipe = RecipeConfig(schedule=Schedule.multistep, learning_rate=0.01, milestones=[0.5, 0.8], gamma=0.1)
    seen = rates(recipe)
    falls = [step for step in range(1, STEPS) if seen[step] < seen[step - 1]]
    assert falls == [STEPS // 2, STEPS * 8 // 10]
    assert seen[-1] == pytest.approx(0.0001)


def test_constant_stays():
    assert set(rates(RecipeConfig(schedule=Schedule.constant, learning_rate=0.01))) == {0.01}


@pytest.mark.parametrize("kind", list(Optimizer))
def test_decay_acts_on_weights_only(kind):
    layer = nn.Linear(3, 3)
    nn.init.ones_(layer.weight)
    nn.init.ones_(layer.bias)
    recipe = RecipeConfig(optimizer=kind, learning_rate=0.1, weight_decay=0.1)
    optimizer = build_optimizer(recipe, layer.parameters())
    layer.weight.grad, layer.bias.grad = torch.zeros(3, 3), torch.zeros(3)
    optimizer.step()
    assert (layer.weight < 1).all()
    assert (layer.bias == 1).all()


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"qat_learning_rate": -1}, "recipe.qat_learning_rate"),
        ({"weight_decay": -1}, "recipe.weight_decay"),
        ({"momentum": 1.0}, "recipe.momentum"),
        ({"label_smoothing": 1.0}, "recipe.label_smoothing"),
        ({"warmup": 0.0}, "recipe.warmup"),
        ({"milestones": [0.5, 30]}, "recipe.milestones"),
    ],
)
def test_impossible_recipes_name_their_key(values, key):
    with pytest.raises(ConfigError, match=key):
        RecipeConfig(**values)


@pytest.mark.parametrize("values", [{"batch_size": 0}, {"threads": 0}])
def test_impossible_trainers_name_their_key(values):
    with pytest.raises(ConfigError, match=f"trainer.{next(iter(values))}"):
        TrainerConfig(**values)
