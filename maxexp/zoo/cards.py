"""The zoo: trained networks with a card each, ``python -m maxexp.zoo add RUN_ID NAME``."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from maxexp.base.errors import CheckpointError, FormatError
from maxexp.base.languages.markdown import markdown_link, markdown_table
from maxexp.base.languages.shell import shell_command
from maxexp.base.number_format import COUNT, HOURS, NumberFormat
from maxexp.base.yaml_file import read_yaml
from maxexp.chip.metrics import CYCLES, WEIGHT_MEMORY
from maxexp.quantization.config import Method
from maxexp.quantization.files.checkpoint import compact, read_checkpoint
from maxexp.run.checkpoints import CARD, RUN, ZOO, ZOO_FILE, integer_network
from maxexp.schema.repeat import repeat_command
from maxexp.tasks.metrics import SELECTING, selecting_score
from maxexp.tasks.score import Score
from maxexp.tasks.scores.classification import ACCURACY
from maxexp.tracking.artifacts import CHECKPOINTS, FLOAT_BEST
from maxexp.tracking.provenance import described_code
from maxexp.tracking.reading import RecordedRun, read_run
from maxexp.tracking.store import Store
from maxexp.training.metrics import BEST_EPOCH, QAT_EPOCH, SECONDS_OF_EPOCH, TEST_IMAGES

NAME = r"[A-Za-z0-9_-]+"
ROUNDED = (
    "the weights are kept in float16; accuracies are of the run's own, in float32, and may differ by some images"
)
TABLE = "<!-- python -m maxexp.zoo list -->"
"""In the zoo's README, what its table follows."""
HEADING = (
    "zoo:NAME",
    "integer, test",
    "float, test",
    "validation",
    "epochs",
    "training",
    "cycles",
    "weights",
    "seed",
)
KINDS = ("float", "quantized", "integer")
DESCRIBING = ("+experiment", "experiment", "model", "dataset", "device", "augmentation.normalize")
"""Keys on the command line that say which network it is, rather than how it is trained."""
MACHINE = ("cpu", "cores", "python", "version.torch", "version.pytorch-lightning", "version.numpy", "maxexp.version")


def add(run: RecordedRun, name: str, folder: Path, store: Store) -> Path:
    """Keeps a run's network under ``folder/name``, with its card: integers, or a floating-point teacher.

    Args:
        store: has the run, and the one that trained the weights if it started from another's.

    Raises:
        CheckpointError: the name is none, or the run has no trained network, did not finish, or quantized without an
            evaluation.
    """
    if not re.fullmatch(NAME, name):
        raise CheckpointError(f"zoo: {name!r} is no name for a network: use letters, digits, '_' and '-'")
    integer = integer_network(run)
    floating = run.params.get("quantization.method") == Method.float.name
    weights = integer or (FLOAT_BEST if floating and FLOAT_BEST in run.artifacts(CHECKPOINTS) else None)
    start = run.params.get("checkpoint", "")
    score = selecting_score(run.params)
    trained = score.chosen.key in run.metrics
    if trained and run.status == "FINISHED" and not weights:
        raise CheckpointError(f"run {run.run_id} kept no integer network, which the stage quantize writes")
    if run.status != "FINISHED" or not weights or not (trained or (integer and start.startswith(RUN))):
        raise CheckpointError(
            f"run {run.run_id} is {run.status} and {'trained' if trained else 'did not train'} its network; the zoo "
            f"takes finished runs that train it, or quantize that of another (checkpoint={RUN}RUN_ID)"
        )
    if integer and score.test_integer.key not in run.metrics:
        unknown = f"run {run.run_id} was not evaluated"
        raise CheckpointError(f"{unknown}; the zoo takes networks whose {score.label} is known")
    training = own_training(run) if trained else earlier_training(store, start.removeprefix(RUN))
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    compact(run.artifact(weights), place / ZOO_FILE)
    content = card(run, name, training) | ({} if integer else {"note": ROUNDED})
    text = yaml.safe_dump(content, sort_keys=False, width=110)
    (place / CARD).write_text(text)
    return place


def own_training(run: RecordedRun) -> dict[str, Any]:
    """The training of a run that trained the network itself."""
    metrics = run.metrics
    return described_training(run, int(metrics[BEST_EPOCH.key]), metrics[selecting_score(run.params).chosen.key])


def earlier_training(store: Store, reference: str) -> dict[str, Any]:
    """The training of the run from which another took its weights.

    Args:
        reference: ``RUN_ID/ARTIFACT``, what follows ``checkpoint=run:``.
    """
    run_id, _, artifact = reference.partition("/")
    run = read_run(store, run_id)
    if not artifact:
        return own_training(run)
    checkpoint = read_checkpoint(run.artifact(artifact))
    score = selecting_score(run.params)
    value = checkpoint.extras["best_top1"] / 100 if score is ACCURACY else checkpoint.extras[f"best_{score.name}"]
    return described_training(run, checkpoint.epoch, value)


def described_training(run: RecordedRun, best: int, value: float) -> dict[str, Any]:
    """Returns where, how long and how well the weights were trained.

    Args:
        best: epoch from which they are, counted from 0.
        value: of the score that selects in that epoch, on validation examples.
    """
    epochs = int(run.params["trainer.max_epochs"])
    # Weights of the floating-point phase owe nothing to what came after it.
    float_epochs = int(run.metrics.get(QAT_EPOCH.key, epochs))
    phase = float_epochs if best < float_epochs else epochs
    seconds = sum(seconds for step, seconds in run.history(SECONDS_OF_EPOCH.key) if step < phase)
    return {
        "run": run.run_id,
        "command": repeat_command(run),
        "commit": commit(run),
        "seed": int(run.params["seed"]),
        "epochs": phase,
        "chosen_epoch": best + 1,
        f"validation_{selecting_score(run.params).name}": value,
        # Training steps alone, whatever interrupted them.
        "hours": round(seconds / 3600, 2),
        "threads": run.threads,
    }


def commit(run: RecordedRun) -> str:
    """The commit of maxexp that a run was made with, or the first and the last if it was resumed with another."""
    first, last = (described_code(run.tags, prefix) for prefix in ("", "resumed."))
    return first if last in (first, "unknown") else f"{first}, resumed with {last}"


def card(run: RecordedRun, name: str, training: dict[str, Any]) -> dict[str, Any]:
    """Returns the card of a network: how it was made, and its results."""
    same = [text for text in run.overrides() if text.split("=")[0].startswith(DESCRIBING)]
    again = [*same, "stages=[evaluate,synthesize]", f"checkpoint={ZOO}{name}"]
    metrics = run.metrics
    images, score = int(metrics.get(TEST_IMAGES.key, 0)), selecting_score(run.params)
    return {
        "network": run.tags["model"],
        "dataset": run.tags["dataset"],
        "command": repeat_command(run),
        "evaluate": shell_command(["python", "-m", "maxexp", *again]),
        "run": run.run_id,
        "commit": commit(run),
        "training": training,
        "test": {
            kind: _scores(score, metrics[score.test(kind).key], images)
            for kind in KINDS
            if score.test(kind).key in metrics
        },
        "hardware": {
            "source": run.tags.get("hw.source", "none"),
            **{key.removeprefix("hw/"): metrics[key] for key in sorted(metrics) if key.startswith("hw/")},
        },
        "machine": {key: run.tags[key] for key in MACHINE if key in run.tags},
    }


def _scores(score: Score, value: float, images: int) -> dict[str, float]:
    counted = {"correct": round(value * images)} if score is ACCURACY else {}
    return {score.name: value, **counted, "images": images}


def table(folder: Path) -> str:
    """All cards as one Markdown table."""
    linked = [[markdown_link(name, f"{name}/{CARD}"), *figures] for name, *figures in rows(folder)]
    return markdown_table(HEADING, linked, range(1, len(HEADING))) + "\n"


def rows(folder: Path) -> list[list[str]]:
    """The name and the figures of each card, under HEADING."""
    return [[path.parent.name, *_figures(path)] for path in sorted(folder.glob(f"*/{CARD}"))]


def _figures(path: Path) -> list[str]:
    """A card's row of the table, without the name.

    Raises:
        CheckpointError: it is no card.
    """
    try:
        card = read_yaml(path)
        training, hardware = card["training"], card["hardware"]
        return [
            *(_score(card["test"].get(kind, {})) for kind in ("integer", "float")),
            _score(training, "validation_"),
            _written(COUNT, training["epochs"]),
            _written(HOURS, training["hours"]),
            *(_written(metric.form, hardware.get(metric.quantity)) for metric in (CYCLES, WEIGHT_MEMORY)),
            str(training["seed"]),
        ]
    except (FormatError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: not the card of a network: {error}; restore it") from error


def _written(form: NumberFormat, value: float | None) -> str:
    return "-" if value is None else form.with_unit(value)


def write_table(folder: Path) -> None:
    """Brings the table at the end of the zoo's ``README.md`` up to date, where there is one."""
    readme = folder / "README.md"
    if readme.is_file():
        text = readme.read_text().partition(TABLE)[0]
        readme.write_text(f"{text}{TABLE}\n{table(folder)}")


def _score(values: Mapping[str, float], prefix: str = "") -> str:
    """The score that selects, among those of a card, with its unit."""
    known = {f"{prefix}{score.name}": score for score in SELECTING.values()}
    return next((known[key].form.with_unit(value) for key, value in values.items() if key in known), "-")
