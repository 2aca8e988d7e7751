"""Real numbers as the 8-bit pixels that a network reads, and real targets in the range of what it gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maxexp.data.config import DatasetConfig
from maxexp.data.store.arrays import InputRange, TargetUnit

MARGIN = 0.1
"""Share of the training targets' range that is left free on either side, for targets beyond it."""


def value_range(values: np.ndarray) -> tuple[float, float]:
    """The least and the greatest of real numbers, never equal."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)


def range_of_recordings(training: Sequence[np.ndarray], config: DatasetConfig) -> InputRange:
    """Returns the range of each channel that becomes the pixels 0 to 255.

    Args:
        training: recordings (channels, length) of the training split.
        config: its `range` holds for all channels; else each has its own, or all the same, by `range_per_channel`.
    """
    if config.range is not None:
        low, high = ([end] * config.channels for end in config.range)
        return InputRange(tuple(low), tuple(high))
    lows = np.min([values.min(1) for values in training], 0)
    highs = np.max([values.max(1) for values in training], 0)
    if not config.range_per_channel:
        lows, highs = np.full_like(lows, lows.min()), np.full_like(highs, highs.max())
    pairs = [value_range(np.array(pair)) for pair in zip(lows, highs, strict=True)]
    return InputRange(tuple(low for low, _ in pairs), tuple(high for _, high in pairs))


def to_pixels(values: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """Maps real numbers to pixels: ``low`` becomes 0, ``high`` 255, what is beyond saturates.

    Args:
        values: finite, any shape.
        low: one for all, or what numpy broadcasts to them.
        high: likewise.

    Returns:
        uint8, same shape: ``floor(255 * (value - low) / (high - low) + 1/2)``, computed in float64.
    """
    scaled = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.floor(scaled + 0.5).clip(0, 255).astype(np.uint8)


def target_unit(training: np.ndarray) -> TargetUnit:
    """The unit in which training targets lie within -1 to 1, with a margin.

    Args:
        training: float (N, outputs), each output of a unit of its own; or (N, ...) with more axes, a map of one unit.
    """
    flat = training.reshape(len(training), -1) if training.ndim == 2 else training.reshape(-1, 1)
    low, high = flat.min(0).astype(np.float64), flat.max(0).astype(np.float64)
    scale = np.where(high > low, (high - low) / 2 * (1 + 2 * MARGIN), 1.0)
    return TargetUnit(tuple(((low + high) / 2).tolist()), tuple(scale.tolist()))


def to_unit(targets: np.ndarray, unit: TargetUnit) -> np.ndarray:
    """Returns the real targets (N, ...) as float32 (N, outputs) in a unit."""
    flat = targets.reshape(len(targets), -1).astype(np.float64)
    return ((flat - np.array(unit.offset)) / np.array(unit.scale)).astype(np.float32)
