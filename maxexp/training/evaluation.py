"""Accuracy of a trained network: in floating point, with simulated quantization, and in integers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from maxexp.base.errors import TrainingError
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.data.augmentation.pixels import evaluation_input, map_pixels
from maxexp.data.config import InputMapping
from maxexp.data.dataset import ImageSet
from maxexp.network.module import NetworkModule

BATCH = 250


@dataclass(frozen=True)
class Evaluation:
    """Predicted classes of all images.

    Attributes:
        predictions: int64 (N,).
        labels: int64 (N,).
    """

    predictions: Tensor
    labels: Tensor

    @property
    def correct(self) -> int:
        return int((self.predictions == self.labels).sum())

    @property
    def accuracy(self) -> float:
        return self.correct / len(self.labels)

    def confusion(self, classes: int) -> Tensor:
        """int64 (classes, classes): images by true class (rows) and predicted class (columns)."""
        pairs = self.labels * classes + self.predictions
        return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def first_maximum(logits: Tensor) -> Tensor:
    """Index of the largest of (N, classes); of equal ones the first, as in the firmware. torch leaves it open."""
    return (logits == logits.amax(1, keepdim=True)).to(torch.uint8).argmax(1)


@torch.no_grad()
def evaluate_module(module: NetworkModule, images: ImageSet, mapping: InputMapping | None) -> Evaluation:
    """Evaluate in float32, with whatever numerics the module has.

    Raises:
        TrainingError: outputs are no numbers, among which no largest can be found.
    """
    module.eval()
    outputs = torch.cat([module(evaluation_input(batch, mapping)) for batch in images.images.split(BATCH)])
    if not bool(outputs.isfinite().all()):
        raise TrainingError(
            f"the outputs of the network {module.network.name} for some images are no finite numbers: its weights "
            "are too large; train it with a lower learning rate, or give another checkpoint"
        )
    return Evaluation(first_maximum(outputs).cpu(), images.labels.cpu())


def evaluate_integer(network: IntegerNetwork, images: ImageSet, mapping: InputMapping | None) -> Evaluation:
    """Evaluate bit by bit as the chip computes."""
    outputs = network.predict(map_pixels(images.images, mapping), BATCH)
    return Evaluation(first_maximum(outputs).cpu(), images.labels.cpu())
