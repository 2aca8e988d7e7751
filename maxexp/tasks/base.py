"""The contract of a task: what a network is trained for, and how well it does it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from maxexp.data.dataset import ImageSet
from maxexp.data.store.arrays import TargetUnit
from maxexp.tasks.score import Score

LOSS = "loss"
"""Name of the mean loss among the scores of an epoch."""


@dataclass
class Sums:
    """Running sums over batches, from which a task computes the scores of an epoch.

    Attributes:
        examples: how many have been added.
        totals: by name, on the device of the network, so that adding does not wait for it.
    """

    examples: int = 0
    totals: dict[str, Tensor] = field(default_factory=dict)

    def add(self, examples: int, totals: Mapping[str, Tensor]) -> None:
        """Adds one batch."""
        self.examples += examples
        for name, total in totals.items():
            self.totals[name] = self.totals[name] + total if name in self.totals else total


class Task(ABC):
    """What a network is trained for: its loss, its decisions, and the scores by which it is judged.

    Outputs are float tensors (N, outputs) in the unit of the network's activations, 1 being the end of their range.

    Attributes:
        name: as in ``task=``.
        scores: all that it is judged by, that of them included by which epochs, trials and tables choose.
        divergence_name: what :meth:`divergence` is, at the beginning of a sentence.
        distills: whether a network can learn from the outputs of a teacher.
    """

    name: str
    scores: tuple[Score, ...]
    divergence_name: str
    distills: bool = False

    @property
    def selects(self) -> Score:
        """The score by which epochs, trials and tables choose."""
        return next(score for score in self.scores if score.selects)

    def score(self, name: str) -> Score:
        """The score of a name."""
        return next(score for score in self.scores if score.name == name)

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """The mean loss of a batch, with gradients.

        Args:
            outputs: float (N, outputs).
            targets: as the data set has them.
            smoothing: ``recipe.label_smoothing``.
        """

    @abstractmethod
    def selecting_totals(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Sums over a batch that the score which selects needs; computed in every training step, so cheap."""

    @abstractmethod
    def totals(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Sums over a batch that all scores need, and that of the loss under ``loss``."""

    @abstractmethod
    def means(self, sums: Sums, unit: TargetUnit) -> dict[str, float]:
        """Scores by name, and the loss, as far as sums over all examples of an epoch are there for them.

        Args:
            unit: of the targets; scores are in it, the loss is not.
        """

    def value(self, outputs: Tensor, targets: Tensor) -> float:
        """The score that selects, of outputs (N, outputs) and in their unit."""
        sums = Sums()
        sums.add(len(targets), self.selecting_totals(outputs, targets))
        return self.means(sums, TargetUnit())[self.selects.name]

    @abstractmethod
    def decide(self, outputs: Tensor) -> Tensor:
        """Decisions (N, ...) that firmware would take from outputs (N, outputs), float or integer."""

    @abstractmethod
    def evaluate(self, decisions: Tensor, examples: ImageSet) -> dict[str, float]:
        """Scores by name of decisions on a whole split, in the unit of its targets."""

    def checkpoint_extras(self, value: float) -> dict[str, float]:
        """Returns what a checkpoint says of its network besides weights, in the maker's keys where they have one.

        Args:
            value: of the score that selects, on validation examples.
        """
        return {f"best_{self.selects.name}": value}

    @abstractmethod
    def divergence(self, outputs: Tensor, exact: Tensor) -> float:
        """Returns how far outputs (N, outputs) of a quantized network are from those in floating point; never
        negative."""
