"""What each part of a recipe is worth: one network, one change at a time, judged on the validation split.

Runs what ``results.json`` lacks, one after another, and writes the table of ``README.md``:
``python experiments/recipes/measure.py [--threads N] [VARIANT ...]``. The test split is never read.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.provenance import provenance
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store

HERE = Path(__file__).resolve().parent
RESULTS, README = HERE / "results.json", HERE / "README.md"
BASE = ["+experiment=cifar10_cmsisnnet_qat", "recipe=default", "trainer.max_epochs=20", "stages=[train]"]
AVERAGED = "recipe.weight_averaging=0.998"
VARIANTS = {
    "default": [],
    "weight averaging": [AVERAGED],
    "label smoothing": ["recipe.label_smoothing=0.1"],
    "cosine": ["recipe.schedule=cosine"],
    "sgd with weight averaging": ["recipe=sgd"],
    "sgd alone": ["recipe=sgd", "recipe.weight_averaging=null"],
    "sgd, averaging, label smoothing": ["recipe=sgd", "recipe.label_smoothing=0.1"],
    "more decay": ["recipe.weight_decay=0.05"],
    "higher rate": ["recipe.learning_rate=0.008"],
    "no augmentation": ["augmentation=none"],
    "all of the deck's augmentations": ["augmentation=deck"],
    "cutout": ["augmentation.cutout.size=8"],
    "higher QAT rate": ["recipe.qat_learning_rate=5e-4"],
    "longer QAT": ["quantization.start_epoch=14"],
}
TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end -->)", re.S)


def train(name: str, overrides: list[str], threads: int) -> dict:
    """Run one variant; its figures, and where they come from."""
    machine = [f"trainer.threads={threads}", "tracking.experiment=recipes", f"tracking.run_name={name}"]
    words = [override for override in [*BASE, *overrides] if not _replaced(override, overrides)]
    command = [sys.executable, "-m", "maxexp", *words]
    output = subprocess.run([*command, *machine], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.search(r"^run (\w{32})", output, re.M)
    assert found, "the run did not say its id"
    run = read_run(open_store(TrackingConfig()), found[1])
    return {
        "command": f"python -m maxexp {' '.join(words)}",
        "run": run.run_id,
        "commit": run.tags.get("mlflow.source.git.commit"),
        "validation_accuracy": run.metrics["val/best_accuracy"],
        "epoch": int(run.metrics["val/best_epoch"]) + 1,
        "float_accuracy": max(value for step, value in run.history("val/accuracy") if step < _float_epochs(run)),
        "training_seconds": sum(seconds for _, seconds in run.history("train/seconds")),
        "seed": int(run.params["seed"]),
    }


def _replaced(override: str, later: list[str]) -> bool:
    key = override.split("=")[0]
    return override not in later and any(other.split("=")[0] == key for other in later)


def _float_epochs(run) -> int:
    start = run.params["quantization.start_epoch"]
    return round(0.85 * int(run.params["trainer.max_epochs"])) if start == "null" else int(start)


def table(results: dict) -> str:
    """Markdown: each variant beside the default."""
    rows = [
        "| recipe | validation, quantized | gain | float phase | chosen epoch | time, ratio |",
        "|--|--:|--:|--:|--:|--:|",
    ]
    base = results["variants"]["default"]
    for name, entry in results["variants"].items():
        gain = 100 * (entry["validation_accuracy"] - base["validation_accuracy"])
        rows.append(
            f"| {name} | {100 * entry['validation_accuracy']:.2f} % | {gain:+.2f} | "
            f"{100 * entry['float_accuracy']:.2f} % | {entry['epoch']} | "
            f"{entry['training_seconds'] / base['training_seconds']:.2f} |"
        )
    return "\n".join(rows) + "\n"


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=f"default: all of {', '.join(VARIANTS)}")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"variants": {}}
    for name in arguments.variants or VARIANTS:
        if name not in results["variants"]:
            results["variants"][name] = train(name, VARIANTS[name], arguments.threads)
            results["machine"] = {k: v for k, v in provenance().items() if k in ("cpu", "cores", "version.torch")}
            RESULTS.write_text(json.dumps(results, indent=2) + "\n")
            print(table(results), flush=True)
    README.write_text(TABLE.sub(lambda _: table(results), README.read_text()))


if __name__ == "__main__":
    main()
