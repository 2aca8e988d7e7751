"""Classes that a part of the data lacks: nothing is learned of them there, or measured."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from maxexp.data.dataset import ImageSet

log = logging.getLogger(__name__)


def _absent_classes(part: ImageSet) -> list[str]:
    present = set(part.labels.tolist())
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
