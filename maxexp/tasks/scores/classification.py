"""The scores of classification; without torch, as all that a list of metrics needs."""

from maxexp.base.metrics import HIGHER
from maxexp.base.number_format import PERCENT
from maxexp.tasks.score import Score

ACCURACY = Score("accuracy", "accuracy", HIGHER, PERCENT, selects=True)
TOP5 = Score("accuracy_top5", "top-5 accuracy", HIGHER, PERCENT, tested=False)

SCORES = (ACCURACY, TOP5)
