"""The network that a checkpoint is of, by what it says itself, its run's configuration or its card in the zoo."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from maxexp.base.errors import CheckpointError, FormatError, TrackingError
from maxexp.base.shipped import zoo_dir
from maxexp.base.yaml_file import read_yaml as read_plain
from maxexp.run.checkpoints import RUN, ZOO, locate_checkpoint
from maxexp.run.composition import compose_config
from maxexp.run.config import read_yaml
from maxexp.run.self_description import SelfDescription, read_description
from maxexp.schema.config import Config
from maxexp.schema.repeat import key_of
from maxexp.tracking.artifacts import RESOLVED
from maxexp.tracking.reading import RecordedRun, read_run
from maxexp.tracking.store import open_store

EXPERIMENT, MODEL, DATASET = "experiment", "model", "dataset"


def describe_checkpoint(reference: str, path: Path, read: Callable[[str], RecordedRun]) -> SelfDescription | None:
    """Returns the network that a checkpoint is of; None where nothing says so, as of the maker's files.

    Args:
        reference: as the key ``checkpoint`` has it: a file, ``run:RUN_ID`` or ``zoo:NAME``.
        path: the local file that it stands for.
        read: finds a run of the tracking store by its id.

    Raises:
        CheckpointError: the file is no checkpoint, or what it says of itself is damaged.
        TrackingError: the store fails.
    """
    from maxexp.quantization.files.checkpoint import read_checkpoint

    try:
        own = read_description(read_checkpoint(path).extras)
    except FormatError as error:
        raise CheckpointError(f"checkpoint={reference}: {error}") from error
    if reference.startswith(RUN):
        recorded = _of_run(read(reference.removeprefix(RUN).partition("/")[0]))
        # The run also knows where its data are.
        return replace(own, dataset=recorded.dataset) if own and recorded else own or recorded
    if own is None and reference.startswith(ZOO):
        return _of_card(reference.removeprefix(ZOO))
    return own


def with_own_network(config: Config, overrides: Sequence[str]) -> Config:
    """Returns a configuration for the network that its checkpoint is of, where the user named none.

    Args:
        overrides: what the user typed; a model or a preset keeps the configuration as it is, and so does a data set
            its own.

    Raises:
        CheckpointError, TrackingError: the checkpoint is not there, or cannot be read.
    """
    typed = [key_of(text) for text in overrides]
    if not config.checkpoint or any(key in (EXPERIMENT, MODEL) or key.startswith(f"{MODEL}.") for key in typed):
        return config

    def read(run_id: str) -> RecordedRun:
        return read_run(open_store(config.tracking, existing=True), run_id)

    found = describe_checkpoint(config.checkpoint, locate_checkpoint(config.checkpoint, read), read)
    if found is None:
        return config
    augmentation = replace(config.augmentation, normalize=found.normalize)
    config = replace(config, model=found.model, augmentation=augmentation)
    if DATASET in typed:
        return config
    names = [key.removeprefix(f"{DATASET}.") for key in typed if key.startswith(f"{DATASET}.")]
    kept = {name: getattr(config.dataset, name) for name in names if hasattr(config.dataset, name)}
    return replace(config, task=found.task, dataset=replace(found.dataset, **kept))


def _of_card(name: str) -> SelfDescription:
    """Returns the network by the command on the card that evaluates the network."""
    path = zoo_dir() / name / "card.yaml"
    try:
        words = shlex.split(read_plain(path)["evaluate"])
        overrides = [word for word in words if "=" in word and key_of(word) not in ("checkpoint", "stages")]
    except (FormatError, OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: not the card of a network: {error}; restore it") from error
    return SelfDescription.of(compose_config(overrides))


def _of_run(run: RecordedRun) -> SelfDescription | None:
    try:
        return SelfDescription.of(read_yaml(run.artifact(RESOLVED)))
    except TrackingError:
        return None  # a run that another tool recorded
