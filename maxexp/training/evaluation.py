"""Scores of a trained network: in floating point, with simulated quantization, and in integers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from maxexp.base.errors import TrainingError
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.augmentation.pixels import evaluation_input, map_pixels
from maxexp.data.dataset import ImageSet
from maxexp.network.module import NetworkModule
from maxexp.tasks.base import Task

BATCH = 250


@dataclass(frozen=True)
class Evaluation:
    """Decisions on all examples of a split, and the scores that they earn.

    Attributes:
        decisions: (N, ...), as the task takes them.
        scores: by name.
    """

    decisions: Tensor
    scores: dict[str, float]


@torch.no_grad()
def evaluate_module(
    module: NetworkModule, task: Task, examples: ImageSet, mapping: InputMapping | None
) -> Evaluation:
    """Evaluates in float32, with whatever numerics the module has.

    Raises:
        TrainingError: outputs are no finite numbers, from which nothing can be decided.
    """
    module.eval()
    outputs = torch.cat([module(evaluation_input(batch, mapping)) for batch in examples.images.split(BATCH)])
    if not bool(outputs.isfinite().all()):
        raise TrainingError(
            f"the outputs of the network {module.network.name} for some examples are not finite numbers: its weights "
            "are too large; train it with a lower learning rate, or give another checkpoint"
        )
    return evaluation(task, task.decide(outputs).cpu(), examples)


def evaluate_integer(
    network: IntegerNetwork, task: Task, examples: ImageSet, mapping: InputMapping | None
) -> Evaluation:
    """Evaluates bit by bit as the chip computes."""
    outputs = network.predict(map_pixels(examples.images, mapping), BATCH)
    return evaluation(task, task.decide(network.in_units(outputs)).cpu(), examples)


def evaluation(task: Task, decisions: Tensor, examples: ImageSet) -> Evaluation:
    """The scores of decisions (N, ...) on a split."""
    return Evaluation(decisions, task.evaluate(decisions, examples))
