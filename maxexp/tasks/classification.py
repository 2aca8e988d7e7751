"""Classification: one of several classes for each example."""

import torch
import torch.nn.functional as F
from torch import Tensor

from maxexp.data.dataset import ImageSet
from maxexp.data.store.arrays import TargetUnit
from maxexp.tasks.base import LOSS, Sums, Task
from maxexp.tasks.scores.classification import ACCURACY, SCORES, TOP5


class Classification(Task):
    """Cross-entropy of the logits; the decision is the first of the largest logits, as in the firmware."""

    name = "classification"
    scores = SCORES
    divergence_name = "Kullback-Leibler divergence of the predictions in nats"
    distills = True

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        return F.cross_entropy(outputs, targets, label_smoothing=smoothing)

    def selecting_totals(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return {ACCURACY.name: (first_maximum(outputs) == targets).sum()}

    def totals(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        # Not from topk, which takes any of equal logits: the firmware, and the evaluation, take the first.
        top5 = outputs.topk(min(5, outputs.shape[1]), dim=1).indices
        return {
            LOSS: F.cross_entropy(outputs, targets, reduction="sum"),
            **self.selecting_totals(outputs, targets),
            TOP5.name: (top5 == targets[:, None]).any(1).sum(),
        }

    def means(self, sums: Sums, unit: TargetUnit) -> dict[str, float]:
        return {name: float(total) / sums.examples for name, total in sums.totals.items()}

    def decide(self, outputs: Tensor) -> Tensor:
        return first_maximum(outputs)

    def evaluate(self, decisions: Tensor, examples: ImageSet) -> dict[str, float]:
        return {ACCURACY.name: float((decisions == examples.labels.cpu()).double().mean())}

    def checkpoint_extras(self, value: float) -> dict[str, float]:
        """Returns the accuracy as ai8x-training writes it: in percent."""
        return {"best_top1": 100 * value}

    def divergence(self, outputs: Tensor, exact: Tensor) -> float:
        """The mean Kullback-Leibler divergence of the predicted probabilities, in nats."""
        pair = outputs.double().log_softmax(1), exact.double().log_softmax(1)
        return float(F.kl_div(*pair, log_target=True, reduction="batchmean"))


def first_maximum(logits: Tensor) -> Tensor:
    """Returns the index of the largest of (N, classes); of equal ones the first, as in the firmware. torch leaves it
    open."""
    return (logits == logits.amax(1, keepdim=True)).to(torch.uint8).argmax(1)
