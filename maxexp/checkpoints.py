"""Where a checkpoint is: a file, a run of the tracking store, or a network of the zoo."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path

from maxexp.errors import CheckpointError, TrackingError

ZOO, RUN = "zoo:", "run:"
ZOO_FILE = "weights.pth.tar"
TRAINED = ("checkpoints/qat_best.pth.tar", "checkpoints/float_best.pth.tar")
"""What a run keeps of its training, the later phase first."""


def locate_checkpoint(reference: str, download: Callable[[str, str], Path]) -> Path:
    """The local file that a reference stands for.

    Args:
        reference: a path, ``run:RUN_ID`` (what that run trained), ``run:RUN_ID/ARTIFACT`` or ``zoo:NAME``.
        download: fetches an artifact (path, run id) of the tracking store.

    Raises:
        CheckpointError: there is no such network in the zoo, or the run has no trained network.
        TrackingError: the run has no such artifact.
    """
    if reference.startswith(ZOO):
        return _zoo_file(reference.removeprefix(ZOO))
    if not reference.startswith(RUN):
        return Path(reference)
    run_id, _, artifact = reference.removeprefix(RUN).partition("/")
    if artifact:
        return download(artifact, run_id)
    for artifact in TRAINED:
        try:
            return download(artifact, run_id)
        except TrackingError as error:
            cause = error
    raise CheckpointError(f"{reference}: that run has no trained network: {cause}") from cause


def zoo_dir() -> Path:
    """The zoo: inside the package where it was installed, else under ``experiments/`` of the checkout."""
    package = Path(str(resources.files("maxexp")))
    installed = package / "_zoo"
    return installed if installed.is_dir() else package.parent / "experiments" / "zoo"


def _zoo_file(name: str) -> Path:
    names = sorted(path.parent.name for path in zoo_dir().glob(f"*/{ZOO_FILE}"))
    if name not in names:
        raise CheckpointError(f"{ZOO}{name}: no such network; there are: {', '.join(names) or 'none'}")
    return zoo_dir() / name / ZOO_FILE
