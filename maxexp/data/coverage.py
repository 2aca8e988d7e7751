"""What a training does not see, or not often: classes that a part of the data lacks, and few steps."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from maxexp.data.dataset import ImageSet

FEW_STEPS = 10
"""Steps of an epoch below which a smaller batch is advised."""

log = logging.getLogger(__name__)


def _absent_classes(part: ImageSet) -> list[str]:
    present = set(part.strata.tolist())
    return [name for label, name in enumerate(part.classes) if label not in present]


def warn_of_absent_classes(name: str, parts: Mapping[str, ImageSet]) -> None:
    """Warns, in one line, of classes that have no image in some part.

    Args:
        name: of the data set.
        parts: the parts, by what they are called.
    """
    absent = {kind: _absent_classes(part) for kind, part in parts.items()}
    lacks = [f"no {kind} images of {', '.join(classes)}" for kind, classes in absent.items() if classes]
    if lacks:
        log.warning("%s: %s; add images of these classes", name, "; ".join(lacks))


def warn_of_few_steps(name: str, images: int, batch_size: int) -> None:
    """Warns of a batch so large that an epoch is a handful of steps."""
    steps = -(-images // batch_size)
    if steps < FEW_STEPS and batch_size > 1:
        log.warning(
            "%s: %d training images are %d steps in an epoch with trainer.batch_size=%d; smaller batches, of %d "
            "images say, mostly learn more",
            name,
            images,
            steps,
            batch_size,
            max(1, images // FEW_STEPS),
        )
