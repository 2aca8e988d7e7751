"""The checkpoints that an interrupted training goes on from."""

import logging
from collections.abc import Iterable
from pathlib import Path

import torch

log = logging.getLogger(__name__)


def newest_checkpoint(paths: Iterable[Path]) -> Path | None:
    """The checkpoint of the latest epoch; None if there is none. Files that a kill has cut short do not count."""
    found: dict[int, Path] = {}
    for path in paths:
        try:
            epoch = torch.load(path, map_location="cpu", weights_only=True)["maxexp_epoch"]
        except Exception:  # torch raises a dozen types for files that are not whole
            epoch = None
        if not isinstance(epoch, int):
            log.warning("%s is damaged and left out", path.name)
            continue
        found[epoch] = path
    return found[max(found)] if found else None
