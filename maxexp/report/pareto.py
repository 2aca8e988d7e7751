"""What no other beats in everything: runs of a comparison, trials of a sweep."""

import numpy as np


def dominates(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Tells whether points are nowhere worse than others, and better somewhere.

    Args:
        one: (..., objectives), lower is better.
        other: likewise.

    Returns:
        (...,) bool.
    """
    return np.logical_and((one <= other).all(-1), (one < other).any(-1))


def pareto_mask(losses: np.ndarray) -> np.ndarray:
    """Marks the points that no other point dominates; equal points are all kept.

    Args:
        losses: (points, objectives), lower is better.

    Returns:
        (points,) bool.
    """
    return np.logical_not(dominates(losses[:, None], losses[None]).any(0))
