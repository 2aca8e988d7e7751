"""Regression: one or more real numbers for each example, or a whole map of them, as an autoencoder gives."""

import torch
import torch.nn.functional as F
from torch import Tensor

from maxexp.data.dataset import ImageSet
from maxexp.data.store.arrays import TargetUnit
from maxexp.tasks.base import LOSS, Sums, Task
from maxexp.tasks.scores.regression import MSE, R2, SCORES

_ERROR, _SUM, _SQUARES = "squared_error", "sum", "squares"


class Regression(Task):
    """Mean squared error; the decision is the output itself.

    Both scores are means over the target values of an example: the mean squared error, in the square of their unit,
    and the coefficient of determination R2, as ``sklearn.metrics.r2_score`` defines it.
    """

    name = "regression"
    scores = SCORES
    divergence_name = "Mean squared difference of the outputs"

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        return F.mse_loss(outputs, targets)

    def selecting_totals(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return {_ERROR: (outputs - targets).square().sum(0).double()}

    def totals(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        exact = targets.double()
        errors = self.selecting_totals(outputs, targets)
        return {LOSS: errors[_ERROR].mean(), **errors, _SUM: exact.sum(0), _SQUARES: exact.square().sum(0)}

    def means(self, sums: Sums, unit: TargetUnit) -> dict[str, float]:
        totals, count = sums.totals, sums.examples
        found = {LOSS: float(totals[LOSS]) / count} if LOSS in totals else {}
        error = totals[_ERROR].cpu()
        scale = torch.tensor(unit.scale, dtype=torch.float64)
        found[MSE.name] = float((scale.square() * error / count).mean())
        if _SQUARES in totals:
            squares = totals[_SQUARES].cpu()
            spread = squares - totals[_SUM].cpu().square() / count
            # The difference of two sums: of a constant it is rounding noise.
            found[R2.name] = _determination(error, spread, spread > 1e-12 * squares)
        return found

    def decide(self, outputs: Tensor) -> Tensor:
        return outputs

    def evaluate(self, decisions: Tensor, examples: ImageSet) -> dict[str, float]:
        sums = Sums()
        sums.add(len(examples), self.totals(decisions.double(), examples.labels.cpu().double()))
        means = self.means(sums, examples.unit)
        return {score.name: means[score.name] for score in self.scores}

    def divergence(self, outputs: Tensor, exact: Tensor) -> float:
        """The mean squared difference."""
        return float(F.mse_loss(outputs.double(), exact.double()))


def _determination(error: Tensor, spread: Tensor, varies: Tensor) -> float:
    """Returns R2, the mean over values; of one that never varies it is 1 if it is always met, else 0.

    Args:
        error: sum of squared errors of each value.
        spread: sum of squared deviations from its mean.
        varies: whether there are any.
    """
    scores = torch.where(varies, 1 - error / spread, (error == 0).double())
    return float(scores.mean())
