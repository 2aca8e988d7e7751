"""The hypervolume of a set of points: how much of the space of objectives they are better than."""

import numpy as np

from maxexp.report.pareto import pareto_mask


def hypervolume(losses: np.ndarray, reference: np.ndarray) -> float:
    """Returns the volume that a set of points dominates, up to a reference point.

    Slices along the first objective, each the hypervolume of the points to its left in the others.

    Args:
        losses: (points, objectives), lower is better.
        reference: (objectives,); points that are not better than it in each objective add nothing.
    """
    losses = losses[(losses < reference).all(1)]
    if not len(losses):
        return 0.0
    losses = losses[pareto_mask(losses)]
    if losses.shape[1] == 1:
        return float(reference[0] - losses.min())
    losses = losses[np.argsort(losses[:, 0], kind="stable")]
    ends = np.append(losses[1:, 0], reference[0])
    volume = 0.0
    for index, (begin, end) in enumerate(zip(losses[:, 0], ends, strict=True)):
        if end > begin:
            volume += (end - begin) * hypervolume(losses[: index + 1, 1:], reference[1:])
    return float(volume)
