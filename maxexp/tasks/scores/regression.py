"""The scores of regression; without torch, as all that a list of metrics needs."""

from maxexp.base.metrics import HIGHER, LOWER
from maxexp.base.number_format import NumberFormat
from maxexp.tasks.score import Score

MSE = Score("mse", "mean squared error", LOWER, NumberFormat(digits=4), selects=True)
R2 = Score("r2", "R2", HIGHER, NumberFormat(digits=4))

SCORES = (MSE, R2)
