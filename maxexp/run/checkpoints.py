"""Where a checkpoint is: a file, a run of the tracking store, or a network of the zoo."""

from collections.abc import Callable
from pathlib import Path

from maxexp.base.errors import CheckpointError
from maxexp.base.secrets import address_without_secrets
from maxexp.base.shipped import teachers_dir, zoo_dir
from maxexp.quantization.config import Method
from maxexp.tracking.artifacts import CHECKPOINTS, FLOAT_BEST, INTEGER_SUFFIX, QAT_BEST, QUANTIZATION
from maxexp.tracking.reading import RecordedRun

ZOO, RUN = "zoo:", "run:"
ZOO_FILE = "weights.pth.tar"
CARD = "card.yaml"


def locate_checkpoint(reference: str, read: Callable[[str], RecordedRun], to_run: bool = False) -> Path:
    """The local file that a reference stands for.

    Args:
        reference: a path, ``run:RUN_ID`` (what that run trained), ``run:RUN_ID/ARTIFACT`` or ``zoo:NAME``.
        read: finds a run of the tracking store by its id.
        to_run: the network will be neither trained nor quantized: of a run that quantized after training,
            the integers.

    Raises:
        CheckpointError: it is an address, there is no such network in the zoo, or the run has none that is trained to
            its end.
        TrackingError: there is no such run or artifact, or the store fails.
    """
    if reference.startswith(ZOO):
        return _zoo_file(reference.removeprefix(ZOO))
    if "://" in reference:
        raise CheckpointError(
            f"checkpoint={address_without_secrets(reference)}: an address, and nothing is downloaded; save the file "
            "here, and write checkpoint=PATH"
        )
    if not reference.startswith(RUN):
        return Path(reference)
    run_id, _, artifact = reference.removeprefix(RUN).partition("/")
    run = read(run_id)
    return run.artifact(artifact or (_quantized_after_training(run) if to_run else None) or _trained(run))


def integer_network(run: RecordedRun) -> str | None:
    """The artifact with a run's integer network, where it has one."""
    return next((path for path in run.artifacts(QUANTIZATION) if path.endswith(INTEGER_SUFFIX)), None)


def _quantized_after_training(run: RecordedRun) -> str | None:
    """Returns what a run quantized after training, where it did."""
    return integer_network(run) if run.params.get("quantization.method") == Method.ptq.name else None


def _trained(run: RecordedRun) -> str:
    """Returns what a run trained: the network of its last phase, and of no earlier one."""
    kept = run.artifacts(CHECKPOINTS)
    if QAT_BEST in kept:
        return QAT_BEST
    if FLOAT_BEST not in kept:
        raise CheckpointError(f"{RUN}{run.run_id}: that run has no trained network; it is {run.status}")
    if run.params.get("quantization.method") == Method.qat.name:
        raise CheckpointError(
            f"{RUN}{run.run_id}: its quantization-aware phase has not ended; resume={run.run_id} continues it, "
            f"{RUN}{run.run_id}/{FLOAT_BEST} is the floating-point network"
        )
    return FLOAT_BEST


def _zoo_file(name: str) -> Path:
    """The weights of a network of the zoo, or of the package of teachers.

    Raises:
        CheckpointError: there is no such network, or it is a teacher and these are not installed.
    """
    folders = [folder for folder in (zoo_dir(), teachers_dir()) if folder]
    places = {path.parent.name: path for folder in folders for path in sorted(folder.glob(f"*/{ZOO_FILE}"))}
    if name in places:
        return places[name]
    if (zoo_dir() / name / CARD).is_file():
        raise CheckpointError(f"{ZOO}{name}: its weights are not installed; pip install maxexp-teachers")
    raise CheckpointError(f"{ZOO}{name}: no such network; there are: {', '.join(sorted(places)) or 'none'}")
