"""The checkpoints that an interrupted training goes on from."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from maxexp.base.errors import CheckpointError, MaxexpError
from maxexp.quantization.files import structure

log = logging.getLogger(__name__)

LONGEST_CAUSE = 200
OTHER_CAUSES = (MaxexpError, FloatingPointError, OSError, torch.OutOfMemoryError)
"""What is raised in an epoch that no checkpoint is to blame for."""


def newest_checkpoint(paths: Iterable[Path]) -> Path | None:
    """The checkpoint of the latest epoch; None if there is none. What a kill has damaged does not count."""
    found: dict[int, Path] = {}
    for path in paths:
        try:
            content = read_resume_file(path)
        except CheckpointError as error:
            log.warning("%s; it is left out", error)
            continue
        found[content["maxexp_epoch"]] = path
    return found[max(found)] if found else None


def read_resume_file(path: Path) -> dict[str, Any]:
    """Returns what a checkpoint holds; all that is no larger than its file, and no code.

    Raises:
        CheckpointError: it is damaged, or of something else.
    """
    try:
        structure.check_archive(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
        structure.tensors(content["state_dict"])
        if not isinstance(content["maxexp_epoch"], int):
            raise ValueError("its epoch is no whole number")
    except Exception as error:  # torch raises a dozen types for files that are not whole
        raise CheckpointError(f"{path.name} is damaged") from error
    return content


@contextmanager
def restoring(path: Path | None, done: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Turns whatever a checkpoint's content raises while a training is made from it into one line.

    Args:
        path: of the checkpoint; None: there is none.
        done: whether all of it has been used, so that what is raised has other causes.

    Raises:
        CheckpointError: names the file.
    """
    try:
        yield
    except Exception as error:
        if path is None or done() or isinstance(error, OTHER_CAUSES):
            raise
        cause = " ".join(str(error).split())[:LONGEST_CAUSE] or type(error).__name__
        raise CheckpointError(
            f"the training cannot go on from {path.name}, it is damaged or of another network: {cause}; "
            "start a new run"
        ) from error
