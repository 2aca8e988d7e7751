"""The zoo: trained networks with a card each, ``python -m maxexp.zoo add RUN_ID NAME``."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

import yaml

from maxexp.checkpoints import ZOO, ZOO_FILE, zoo_dir
from maxexp.errors import CheckpointError, MaxexpError
from maxexp.quantization.checkpoint import compact
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import RecordedRun, read_run
from maxexp.tracking.store import open_store

KINDS = ("float", "quantized", "integer")
DESCRIBING = ("+experiment", "experiment", "model", "dataset", "device", "augmentation.normalize")
"""Keys on the command line that say which network it is, rather than how it is trained."""
MACHINE = ("cpu", "cores", "python", "version.torch", "version.pytorch-lightning", "version.numpy", "maxexp.version")


def add(run: RecordedRun, name: str, folder: Path) -> Path:
    """Keep what a run trained under ``folder/name``, with its card: integers, or a floating-point teacher.

    Raises:
        CheckpointError: the run trained nothing, did not finish, or quantized without an evaluation.
    """
    integer = [path for path in run.artifacts("quantization") if path.endswith("-q.pth.tar")]
    files = integer or [path for path in run.artifacts("checkpoints") if path.endswith("float_best.pth.tar")]
    needed = ("val/best_accuracy", "test/accuracy_integer") if integer else ("val/best_accuracy",)
    missing = [key for key in needed if key not in run.metrics]
    if run.status != "FINISHED" or missing or not files:
        raise CheckpointError(
            f"run {run.run_id} is {run.status} and has no {missing[0] if missing else 'checkpoint'}; the zoo takes "
            "finished runs: a floating-point training, or train, quantize, evaluate and synthesize"
        )
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    compact(run.artifact(files[0]), place / ZOO_FILE)
    text = yaml.safe_dump(card(run, name), sort_keys=False, width=110)
    (place / "card.yaml").write_text(text)
    return place


def card(run: RecordedRun, name: str) -> dict[str, Any]:
    """How a network came about and what it is worth, from its run alone."""
    overrides = run.overrides()
    same = [text for text in overrides if text.split("=")[0].startswith(DESCRIBING)]
    again = [*same, "stages=[evaluate,synthesize]", f"checkpoint={ZOO}{name}"]
    metrics = run.metrics
    images = int(metrics.get("test/images", 0))
    return {
        "network": run.tags["model"],
        "dataset": run.tags["dataset"],
        "command": f"python -m maxexp {shlex.join(overrides)}",
        "evaluate": f"python -m maxexp {shlex.join(again)}",
        "run": run.run_id,
        "commit": run.tags.get("mlflow.source.git.commit", "unknown")
        + (" with uncommitted changes" if run.tags.get("git.dirty") == "true" else ""),
        "seed": int(run.params["seed"]),
        "epochs": int(run.params["trainer.max_epochs"]),
        "chosen_epoch": int(metrics["val/best_epoch"]) + 1,
        "training_hours": round(training_seconds(run) / 3600, 2),
        "threads": run.params["trainer.threads"],
        "validation": {"accuracy": metrics["val/best_accuracy"]},
        "test": {
            kind: {
                "accuracy": metrics[f"test/accuracy_{kind}"],
                "correct": round(metrics[f"test/accuracy_{kind}"] * images),
                "images": images,
            }
            for kind in KINDS
            if f"test/accuracy_{kind}" in metrics
        },
        "hardware": {
            "source": run.tags.get("hw.source", "none"),
            **{key.removeprefix("hw/"): metrics[key] for key in sorted(metrics) if key.startswith("hw/")},
        },
        "machine": {key: run.tags[key] for key in MACHINE if key in run.tags},
    }


def training_seconds(run: RecordedRun) -> float:
    """Time spent in training steps, whatever interrupted the run; validation is not counted."""
    return sum(seconds for _, seconds in run.history("train/seconds"))


def table(folder: Path) -> str:
    """All cards as one Markdown table."""
    rows = [
        "| zoo:NAME | integer, test | float, test | validation | epochs | hours | cycles | weights | seed |",
        "|--|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for path in sorted(folder.glob("*/card.yaml")):
        entry = yaml.safe_load(path.read_text())
        cells = [
            f"[{path.parent.name}]({path.parent.name}/card.yaml)",
            *(_percent(entry["test"].get(kind)) for kind in ("integer", "float")),
            f"{100 * entry['validation']['accuracy']:.2f} %",
            f"{entry['epochs']}",
            f"{entry['training_hours']:.1f}",
            _number(entry["hardware"].get("cycles")),
            _number(entry["hardware"].get("weight_bytes"), " B"),
            f"{entry['seed']}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _percent(result: dict[str, float] | None) -> str:
    return f"{100 * result['accuracy']:.2f} %" if result else "-"


def _number(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:,.0f}{unit}"


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m maxexp.zoo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the networks and their figures")
    adding = commands.add_parser("add", help="keep the integer network of a finished run")
    adding.add_argument("run_id")
    adding.add_argument("name", help="letters, digits, '_' and '-'; checkpoint=zoo:NAME loads it")
    adding.add_argument("--tracking-uri", help="tracking store of the run (default: as for python -m maxexp)")
    arguments = parser.parse_args()
    try:
        if arguments.command == "add":
            run = read_run(open_store(TrackingConfig(uri=arguments.tracking_uri)), arguments.run_id)
            print(add(run, arguments.name, zoo_dir()))
        print(table(zoo_dir()), end="")
    except MaxexpError as error:
        print(f"maxexp: error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
