"""What a trained network says of one example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 3
"""Classes that a prediction shows of itself."""


@dataclass(frozen=True, repr=False)
class Prediction:
    """What a network says of one example.

    Attributes:
        outputs: of the network, in the order of its classes or targets.
        scores: probabilities by class name, the largest first; empty where the targets are real numbers.
    """

    outputs: tuple[float, ...]
    scores: dict[str, float]

    @classmethod
    def of_classes(cls, outputs: Sequence[float], probabilities: Sequence[float], names: Sequence[str]) -> Prediction:
        """Makes one of a classification; equal ones stay in the order of the classes, as in the firmware."""
        order = sorted(range(len(names)), key=lambda index: -outputs[index])
        return cls(tuple(outputs), {names[index]: probabilities[index] for index in order})

    @property
    def label(self) -> str | None:
        """The class with the highest score; None where there are no classes."""
        return next(iter(self.scores), None)

    @property
    def score(self) -> float | None:
        """Its probability."""
        return next(iter(self.scores.values()), None)

    def __repr__(self) -> str:
        if not self.scores:
            return f"<{', '.join(f'{value:.4g}' for value in self.outputs)}>"
        best = list(self.scores.items())[:SHOWN]
        return f"<{', '.join(f'{name} {100 * score:.1f} %' for name, score in best)}>"
