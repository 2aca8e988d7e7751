"""The report of a classification: images that are right, and which classes are taken for which."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from maxexp.data.dataset import ImageSet
from maxexp.report.figures.plots import confusion_matrix
from maxexp.report.predictions import Arrays, confusion


class ClassificationReport:
    """Counts of right images, the confusion matrix, predicted classes."""

    picture = "confusion_matrix.png"

    def line(self, decisions: Tensor, scores: Mapping[str, float], examples: ImageSet) -> str:
        return f"{int((decisions == examples.labels.cpu()).sum())} of {len(examples)} correct"

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
