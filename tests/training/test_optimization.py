"""Optimizers and schedules of the recipes."""

import pytest
import torch
from torch import nn

from maxexp.base.errors import ConfigError
from maxexp.training.config import OPTIMIZERS, RecipeConfig, TrainerConfig
from maxexp.training.optimization import build_optimizer, build_schedule

STEPS, EPOCHS = 200, 10


def rates(recipe: RecipeConfig) -> list[float]:
    """Learning rate before each step of a phase."""
    optimizer = build_optimizer(recipe, nn.Linear(2, 2).parameters())
    schedule, _ = build_schedule(recipe, optimizer, STEPS, EPOCHS)
    seen = []
    for _ in range(STEPS):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_onecycle_rises_to_its_peak_and_falls_to_nothing():
    seen = rates(RecipeConfig(schedule="onecycle", learning_rate=0.01, warmup=0.25))
    assert max(seen) == pytest.approx(0.01, rel=1e-3)
    assert seen.index(max(seen)) == pytest.approx(0.25 * STEPS, abs=2)
    assert seen[-1] < 1e-5


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_onecycle_leaves_the_momentum_alone(kind):
    optimizer = build_optimizer(RecipeConfig(optimizer=kind, momentum=0.7), nn.Linear(2, 2).parameters())
    before = [(group.get("momentum"), group.get("betas")) for group in optimizer.param_groups]
    build_schedule(RecipeConfig(schedule="onecycle"), optimizer, STEPS, EPOCHS)
    assert [(group.get("momentum"), group.get("betas")) for group in optimizer.param_groups] == before


@pytest.mark.parametrize("warmup", [0.1, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("steps", [1, 2, 5, 10])
def test_onecycle_of_very_few_steps(warmup, steps):
    """The default warmup of five steps, one epoch of 640 images, once ended in a division by zero."""
    optimizer = build_optimizer(RecipeConfig(), nn.Linear(2, 2).parameters())
    schedule, _ = build_schedule(RecipeConfig(schedule="onecycle", warmup=warmup), optimizer, steps, EPOCHS)
    for _ in range(steps - 1):
        optimizer.step()
        schedule.step()
    assert 0 <= optimizer.param_groups[0]["lr"] <= RecipeConfig().learning_rate


def test_cosine_falls_from_its_peak():
    seen = rates(RecipeConfig(schedule="cosine", learning_rate=0.01))
    assert seen[0] == pytest.approx(0.01)
    assert seen[STEPS // 2] == pytest.approx(0.005)
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("steps", [7, 40])
def test_multistep_begins_at_its_peak_in_the_shortest_phase(steps):
    """One epoch of quantization-aware training: its rate fell before the first step, shares being of whole epochs."""
    recipe = RecipeConfig(schedule="multistep", milestones=[0.33, 0.5, 0.67], gamma=0.5)
    optimizer = build_optimizer(recipe, nn.Linear(2, 2).parameters())
    schedule, _ = build_schedule(recipe, optimizer, steps, EPOCHS)
    seen = set()
    for _ in range(steps):
        seen.add(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert sorted(seen, reverse=True) == pytest.approx([recipe.learning_rate * 0.5**falls for falls in range(4)])


def test_multistep_falls_at_shares_of_the_phase():
    recipe = RecipeConfig(schedule="multistep", learning_rate=0.01, milestones=[0.5, 0.8], gamma=0.1)
    seen = rates(recipe)
    falls = [step for step in range(1, STEPS) if seen[step] < seen[step - 1]]
    assert falls == [STEPS // 2, STEPS * 8 // 10]
    assert seen[-1] == pytest.approx(0.0001)


def test_constant_stays():
    assert set(rates(RecipeConfig(schedule="constant", learning_rate=0.01))) == {0.01}


@pytest.mark.parametrize("kind", OPTIMIZERS)
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


RMSPROP = {"_target_": "torch.optim.RMSprop", "alpha": 0.9}
LR = "torch.optim.lr_scheduler."


def test_a_class_of_torch_with_its_arguments():
    network = nn.Linear(2, 2)
    recipe = RecipeConfig(optimizer=RMSPROP, learning_rate=0.3, weight_decay=0.2)
    optimizer = build_optimizer(recipe, network.parameters())
    assert isinstance(optimizer, torch.optim.RMSprop)
    weights, biases = optimizer.param_groups
    assert (weights["alpha"], weights["lr"], weights["weight_decay"], biases["weight_decay"]) == (0.9, 0.3, 0.2, 0)
    # Its own parameters, not copies of them.
    assert weights["params"][0] is network.weight and biases["params"][0] is network.bias


def test_a_name_and_its_class_take_the_same_steps():
    def trained(optimizer, **further) -> torch.Tensor:
        torch.manual_seed(0)
        network, recipe = nn.Linear(3, 2), RecipeConfig(optimizer=optimizer, learning_rate=0.1, **further)
        optimizer = build_optimizer(recipe, network.parameters())
        schedule, _ = build_schedule(recipe, optimizer, 10, 1)
        for _ in range(10):
            optimizer.zero_grad()
            network(torch.ones(4, 3)).square().sum().backward()
            optimizer.step()
            schedule.step()
        return network.weight

    named = trained("sgd", momentum=0.8, schedule="cosine")
    by_class = trained(
        {"_target_": "torch.optim.SGD", "momentum": 0.8, "nesterov": True, "fused": True},
        schedule={"_target_": LR + "CosineAnnealingLR", "interval": "step"},
    )
    assert torch.equal(named, by_class)


def test_an_optimizer_without_weight_decay_has_one_group():
    recipe = RecipeConfig(optimizer={"_target_": "torch.optim.LBFGS", "max_iter": 2}, weight_decay=0.0)
    assert len(build_optimizer(recipe, nn.Linear(2, 2).parameters()).param_groups) == 1


@pytest.mark.parametrize(
    ("schedule", "interval", "expected"),
    [
        ({"_target_": LR + "CosineAnnealingLR"}, "epoch", {"T_max": EPOCHS}),
        ({"_target_": LR + "CosineAnnealingLR", "interval": "step"}, "step", {"T_max": STEPS}),
        ({"_target_": LR + "CosineAnnealingLR", "T_max": 3, "eta_min": 0.1}, "epoch", {"T_max": 3, "eta_min": 0.1}),
        ({"_target_": LR + "PolynomialLR", "interval": "step"}, "step", {"total_iters": STEPS}),
        ({"_target_": LR + "OneCycleLR", "max_lr": 0.5}, "epoch", {"total_steps": EPOCHS}),
        ({"_target_": LR + "StepLR", "step_size": 4}, "epoch", {"step_size": 4}),
        ({"_target_": LR + "ReduceLROnPlateau", "patience": 2}, "epoch", {"patience": 2}),
    ],
)
def test_a_schedule_has_the_length_of_its_phase(schedule, interval, expected):
    recipe = RecipeConfig(schedule=schedule)
    made, after = build_schedule(recipe, build_optimizer(recipe, nn.Linear(2, 2).parameters()), STEPS, EPOCHS)
    assert after == interval
    assert {key: getattr(made, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"optimizer": "rmsprop"},
            "recipe.optimizer=rmsprop: must be one of sgd, adam, adamw, or {_target_: ",
        ),
        ({"optimizer": {"alpha": 0.9}}, "recipe.optimizer: needs _target_, a Optimizer by its whole name"),
        ({"qat_optimizer": {"_target_": "torch.optim.Adams"}}, "recipe.qat_optimizer._target_=torch.optim.Adams: no"),
        ({"optimizer": {**RMSPROP, "lr": 0.1}}, "recipe.optimizer.lr: give it as recipe.learning_rate"),
        (
            {"optimizer": {**RMSPROP, "weight_decay": 0.1}},
            "recipe.optimizer.weight_decay: give it as recipe.wei",
        ),
        (
            {"optimizer": {**RMSPROP, "alfa": 0.1}},
            "recipe.optimizer.alfa: no such argument; RMSprop takes alpha",
        ),
        ({"optimizer": {**RMSPROP, "alpha": -1}}, "recipe.optimizer: RMSprop refuses its arguments: Invalid alpha"),
        (
            {"optimizer": {"_target_": "torch.optim.Rprop"}},
            "recipe.weight_decay=0.01: Rprop has none; set recipe",
        ),
        ({"schedule": {"_target_": "torch.optim.SGD"}}, "recipe.schedule._target_=torch.optim.SGD: no LRScheduler; "),
        ({"schedule": {"_target_": LR + "StepLR"}}, "recipe.schedule.step_size: is missing; StepLR takes step_size"),
        ({"schedule": {"_target_": LR + "StepLR", "step_size": 2, "interval": "x"}}, "interval=x: must be epoch or"),
        (
            {"schedule": {"_target_": LR + "ReduceLROnPlateau", "interval": "step"}},
            "looks at the validation, once",
        ),
        ({"schedule": ["cosine"]}, "recipe.schedule=.*: must be one of constant, cosine"),
    ],
)
def test_what_is_no_optimizer_or_schedule_is_refused_in_one_line(wrong, message):
    with pytest.raises(ConfigError, match=message) as caught:
        RecipeConfig(**wrong)
    assert "\n" not in str(caught.value)
