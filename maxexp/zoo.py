"""The zoo: trained integer networks with a card each, ``python -m maxexp.zoo add RUN_ID NAME``."""

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
    """Keep a run's integer network under ``folder/name``, with its card.

    Raises:
        CheckpointError: the run did not finish, or it has no integer network with an accuracy.
    """
    if run.status != "FINISHED" or "test/accuracy_integer" not in run.metrics:
        raise CheckpointError(
            f"run {run.run_id} is {run.status} and has {'an' if 'test/accuracy_integer' in run.metrics else 'no'} "
            "integer accuracy; the zoo takes finished runs of the stages train, quantize, evaluate and synthesize"
        )
    quantized = run.artifacts("quantization")
    files = [path for path in quantized if path.endswith("-q.pth.tar")]
    if not files:
        raise CheckpointError(f"run {run.run_id} has no integer checkpoint among its artifacts in quantization/")
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    compact(run.artifact(files[0]), place / ZOO_FILE)
    text = yaml.safe_dump(card(run, name), sort_keys=False, width=110)
    (place / "card.yaml").write_text(text)
    return place


def card(run: RecordedRun, name: str) -> dict[str, Any]:
    """How a network came about and what it is worth, from its run alone."""
    overrides = yaml.safe_load(run.artifact("config/overrides.yaml").read_text()) or []
    same = [text for text in overrides if text.split("=")[0].startswith(DESCRIBING)]
    again = [*same, "stages=[evaluate,synthesize]", f"checkpoint={ZOO}{name}"]
    metrics = run.metrics
    images = int(metrics["test/images"])
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
        "| zoo:NAME | integer, test | float | epochs | hours | cycles | weights | seed |",
        "|--|--|--|--|--|--|--|--|",
    ]
    for path in sorted(folder.glob("*/card.yaml")):
        entry = yaml.safe_load(path.read_text())
        test, hardware = entry["test"], entry["hardware"]
        rows.append(
            f"| [{path.parent.name}]({path.parent.name}/card.yaml) | {100 * test['integer']['accuracy']:.2f} % "
            f"({test['integer']['correct']}) | {100 * test['float']['accuracy']:.2f} % | {entry['epochs']} "
            f"| {entry['training_hours']:.1f} | {hardware['cycles']:,.0f} | {hardware['weight_bytes']:,.0f} B "
            f"| {entry['seed']} |"
        )
    return "\n".join(rows) + "\n"


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
