"""Trained networks from files, runs and the zoo: ``maxexp.load``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from maxexp.base.errors import CheckpointError
from maxexp.run.checkpoints import RUN, locate_checkpoint
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import RecordedRun, read_run
from maxexp.tracking.store import open_store

if TYPE_CHECKING:
    from maxexp.api.model import Model
    from maxexp.api.network import Untrained


def load(
    reference: str | os.PathLike[str], *, network: Untrained | None = None, tracking_uri: str | None = None
) -> Model:
    """Loads a trained network, which knows its own description.

    Args:
        reference: ``"zoo:NAME"``, ``"run:RUN_ID"``, ``"run:RUN_ID/checkpoints/float_best.pth.tar"``, or a file.
        network: which network it is of, for a file that does not say so itself, such as the maker's.
        tracking_uri: the store of the run; default as for ``python -m maxexp``.

    Raises:
        CheckpointError: there is no such checkpoint, or it does not say which network it is of.
        TrackingError: there is no such run, or the store fails.

    Example:
        >>> maxexp.load("zoo:cifar10_nascifarnet")
        <nascifarnet for cifar10, integers: 11 layers for 3x32x32, 301,760 weights>
    """
    from maxexp.api.model import Model
    from maxexp.quantization.files.checkpoint import read_checkpoint
    from maxexp.run.described_checkpoints import describe_checkpoint
    from maxexp.run.self_description import SelfDescription

    def read(run_id: str) -> RecordedRun:
        return read_run(open_store(TrackingConfig(uri=tracking_uri), existing=True), run_id)

    text = os.fspath(reference)
    path = locate_checkpoint(text, read, to_run=text.startswith(RUN))
    if network is not None:
        description: SelfDescription | None = SelfDescription.of(network.asked.config())
    else:
        description = describe_checkpoint(text, path, read)
    if description is None:
        raise CheckpointError(
            f"checkpoint={text}: does not say which network it is of; give it: "
            'maxexp.load(FILE, network=maxexp.network("nascifarnet", dataset="cifar10"))'
        )
    return Model.read(read_checkpoint(path), description)
