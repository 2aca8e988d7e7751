"""The contract of a task's report: what is said, drawn and kept of the decisions on a test split."""

from collections.abc import Mapping
from typing import Protocol

from matplotlib.figure import Figure
from torch import Tensor

from maxexp.data.dataset import ImageSet
from maxexp.report.predictions import Arrays


class TaskReport(Protocol):
    """The report of one task.

    Attributes:
        picture: name of the picture among the run's plots.
    """

    picture: str

    def line(self, decisions: Tensor, scores: Mapping[str, float], examples: ImageSet) -> str:
        """Returns how well a network did, in a few words for the terminal."""

    def figure(self, title: str, decisions: Tensor, scores: Mapping[str, float], examples: ImageSet) -> Figure:
        """A picture of the decisions beside the targets.

        Args:
            title: network, split, and what the network was evaluated as.
        """

    def predictions(self, decisions: Mapping[str, Tensor], examples: ImageSet) -> Arrays:
        """The arrays of ``predictions.npz``, decisions by what the network was evaluated as."""
