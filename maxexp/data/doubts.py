"""What of a user's own images may not be as it is meant: files that are not read, images that are there twice."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping

from maxexp.base.folders import cache_folder
from maxexp.data.config import FIXED_CONTENT, DatasetConfig
from maxexp.data.dataset import ImageSet
from maxexp.data.sources.find import find_source
from maxexp.data.store.cache import prepared_once

SHOWN = 3
"""Pairs of classes that a sentence names."""

log = logging.getLogger(__name__)


def warn_of_doubts(config: DatasetConfig, parts: Mapping[str, ImageSet]) -> None:
    """Warns, in one line each, of what is not read, and of images that are there more than once.

    Published sets are what they are. Nothing is left out or changed.

    Args:
        parts: by what they are called; the training images first.
    """
    if config.source in FIXED_CONTENT:
        return
    with prepared_once(cache_folder(config.cache_dir), config.name):
        unused = find_source(config).unused()
    for sentence in unused:
        log.warning("%s: %s", config.name, sentence)
    warn_of_copies(config.name, parts)


def warn_of_copies(name: str, parts: Mapping[str, ImageSet]) -> None:
    """Warns of images that contradict their labels, or make figures look better than they are.

    Args:
        name: of the data set.
        parts: by what they are called; the training images first.
    """
    first: dict[bytes, tuple[str, int]] = {}
    copies: dict[str, int] = dict.fromkeys(parts, 0)
    contradictions: list[tuple[str, str]] = []
    for part, images in parts.items():
        for digest, label in zip(_digests(images), images.labels.tolist(), strict=True):
            earlier, other = first.setdefault(digest, (part, label))
            if other != label:
                contradictions.append((images.classes[other], images.classes[label]))
            elif earlier != part:
                copies[part] += 1
    if contradictions:
        pairs = ", ".join(f"{one} and {other}" for one, other in sorted(set(contradictions))[:SHOWN])
        count = len(contradictions)
        log.warning("%s: %d images are in two classes (%s); leave each in the right one", name, count, pairs)
    for part, count in copies.items():
        if count:
            log.warning(
                "%s: %d of %d %s images are copies of those of other parts: accuracy looks better than it is",
                name,
                count,
                len(parts[part]),
                part,
            )


def _digests(images: ImageSet) -> list[bytes]:
    """Returns the digest of the decoded pixels."""
    return [hashlib.blake2b(row.data, digest_size=16).digest() for row in images.images.cpu().numpy()]
