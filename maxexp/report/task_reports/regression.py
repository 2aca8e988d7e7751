"""The report of a regression: predicted values over the true ones."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from maxexp.data.dataset import ImageSet
from maxexp.report.predictions import Arrays
from maxexp.tasks.scores.regression import MSE, R2

MOST_PANELS = 6
"""Target values that get a panel each; of more, as of a map, all are drawn in one."""
MOST_POINTS = 20_000


class RegressionReport:
    """Scores, a scatter of predictions over targets, both in the unit of the targets."""

    picture = "predictions.png"

    def line(self, decisions: Tensor, scores: Mapping[str, float], examples: ImageSet) -> str:
        return ", ".join(f"{score.label} {score.form.text(scores[score.name])}" for score in (MSE, R2))

    def figure(self, title: str, decisions: Tensor, scores: Mapping[str, float], examples: ImageSet) -> Figure:
        found, true = _in_unit(decisions, examples), _in_unit(examples.labels.cpu(), examples)
        if true.shape[1] > MOST_PANELS:
            found, true = found.reshape(-1, 1), true.reshape(-1, 1)
        count = true.shape[1]
        figure = Figure(figsize=(4.2 * min(count, 3), 0.4 + 4 * -(-count // 3)), layout="constrained")
        figure.suptitle(f"{title}: R2 {scores[R2.name]:.4f}")
        step = -(-len(true) // MOST_POINTS)
        for index, axes in enumerate(figure.subplots(-(-count // 3), min(count, 3), squeeze=False).ravel()):
            if index >= count:
                axes.set_axis_off()
                continue
            x, y = true[::step, index], found[::step, index]
            axes.scatter(x, y, s=8, alpha=0.4, color="#4477aa", edgecolors="none")
            ends = [min(x.min(), y.min()), max(x.max(), y.max())]
            axes.plot(ends, ends, color="0.4", lw=1, ls="--", label="predicted = true")
            axes.set(xlabel="true", ylabel="predicted", title=f"target {index + 1}" if count > 1 else "")
            axes.grid(alpha=0.3)
            axes.legend(frameon=False)
        return figure

    def predictions(self, decisions: Mapping[str, Tensor], examples: ImageSet) -> Arrays:
        found = {kind: _in_unit(values, examples).astype(np.float32) for kind, values in decisions.items()}
        return {**found, "targets": _in_unit(examples.labels.cpu(), examples).astype(np.float32)}


def _in_unit(values: Tensor, examples: ImageSet) -> np.ndarray:
    """Returns the targets, float64 (N, outputs), in the unit of the targets."""
    return values.double().numpy() * np.array(examples.unit.scale) + np.array(examples.unit.offset)
