"""Classification: accuracy, loss and confusion against torch and by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from maxexp.data.dataset import ImageSet
from maxexp.data.store.arrays import TargetUnit
from maxexp.report.predictions import confusion
from maxexp.tasks.base import Sums
from maxexp.tasks.classification import Classification

TASK = Classification()


def test_confusion_counts_every_image_once():
    labels, predicted = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 2, 0])
    assert confusion(labels, predicted, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]


def test_accuracy_is_the_share_of_right_decisions():
    examples = ImageSet(
        torch.zeros(5, 1, 1, 1, dtype=torch.uint8), torch.tensor([0, 0, 1, 2, 2]), ["a", "b", "c"], ""
    )
    assert TASK.evaluate(torch.tensor([0, 1, 1, 2, 0]), examples) == {"accuracy": 0.6}


def test_scores_of_an_epoch_are_means_over_its_examples():
    generator = torch.Generator().manual_seed(0)
    outputs, labels = torch.randn(50, 10, generator=generator), torch.arange(50) % 10
    sums = Sums()
    for chosen in torch.arange(50).split(16):
        sums.add(len(chosen), TASK.totals(outputs[chosen], labels[chosen]))
    means = TASK.means(sums, TargetUnit())
    assert means["loss"] == pytest.approx(float(F.cross_entropy(outputs, labels)), rel=1e-6)
    ranks = (outputs > outputs.gather(1, labels[:, None])).sum(1)
    assert means["accuracy"] == pytest.approx(float((ranks == 0).float().mean()))
    assert means["accuracy_top5"] == pytest.approx(float((ranks < 5).float().mean()))
