"""The report of a classification: images that are right, and which classes are taken for which."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from maxexp.data.dataset import ImageSet
from maxexp.report.figures.plots import confusion_matrix
from maxexp.report.predictions import Arrays, confusion

MOST_CLASSES = 10
"""Up to so many classes are counted one by one on the terminal."""


class ClassificationReport:
    """Counts of right images, the confusion matrix, predicted classes."""

    picture = "confusion_matrix.png"

    def line(self, decisions: Tensor, scores: Mapping[str, float], examples: ImageSet) -> str:
        right = f"{int((decisions == examples.labels.cpu()).sum())} of {len(examples)} correct"
        if len(examples.classes) > MOST_CLASSES:
            return right
        counts = confusion(examples.labels.cpu().numpy(), decisions.numpy(), len(examples.classes))
        by_class = zip(examples.classes, counts.diagonal(), counts.sum(1), strict=True)
        return f"{right} ({', '.join(f'{name} {found}/{all_}' for name, found, all_ in by_class)})"

    def figure(self, title: str, decisions: Tensor, scores: Mapping[str, float], examples: ImageSet) -> Figure:
        counts = confusion(examples.labels.cpu().numpy(), decisions.numpy(), len(examples.classes))
        figure = confusion_matrix(counts, examples.classes, f"{title}: {100 * scores['accuracy']:.2f} % correct")
        assert isinstance(figure, Figure)
        return figure

    def predictions(self, decisions: Mapping[str, Tensor], examples: ImageSet) -> Arrays:
        return {
            **{kind: values.numpy().astype(np.int16) for kind, values in decisions.items()},
            "labels": examples.labels.cpu().numpy().astype(np.int16),
            "classes": np.array(examples.classes, dtype=np.str_),
        }
