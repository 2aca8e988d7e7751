"""What each part of a recipe is worth: one network, one change at a time, judged on the validation split.

Runs what ``results.json`` lacks, ``--jobs`` at once, and writes the table of ``README.md``:
``python experiments/recipes/measure.py [--jobs N] [--threads N] [VARIANT ...]``. The test split is never read.
"""

import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.provenance import provenance
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store

HERE = Path(__file__).resolve().parent
RESULTS, README = HERE / "results.json", HERE / "README.md"
BASE = ["model=cmsisnnet", "dataset=cifar10", "augmentation=basic", "recipe=sgd", "quantization=qat"]
BASE += ["dataset.limit=15000", "trainer.max_epochs=12", "stages=[train]"]
# The recipe's average reaches 500 steps back, 1.5 % of a preset's training; of these 1,400 steps it would be a third.
BASE += ["recipe.weight_averaging=0.98"]
# Rows come from several machines, of which some would compute in bfloat16.
BASE += ["trainer.precision=float32"]
REFERENCE = "sgd"
REPEATED = "sgd on another machine"
"""What chance alone makes of the same recipe and seed."""
TEACHER = ["recipe=distill", "recipe.distillation.views=4"]
PLAIN_START = ["quantization.equalize=false", "quantization.search_scales=false", "quantization.correct_biases=false"]
VARIANTS = {
    REFERENCE: [],
    REPEATED: [],
    "without averaging": ["recipe.weight_averaging=null"],
    "cosine": ["recipe.schedule=cosine"],
    "adamw (recipe=default)": ["recipe=default", "recipe.weight_averaging=null"],
    "adamw with averaging": ["recipe=default"],
    "averaging over 500 steps": ["recipe.weight_averaging=0.998"],
    "label smoothing": ["recipe.label_smoothing=0.1"],
    "twice the decay": ["recipe.weight_decay=1e-3"],
    "cutout": ["augmentation=cutout"],
    "teacher": TEACHER,
    "teacher, not mirrored": [*TEACHER, "recipe.distillation.mirror=false"],
    "teacher and cutout": [*TEACHER, "augmentation=cutout"],
    "QAT from calibration alone": PLAIN_START,
    "4 bits": ["quantization.weight_bits=4"],
    "4 bits, QAT from calibration alone": ["quantization.weight_bits=4", *PLAIN_START],
}
TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end -->)", re.S)


def overrides(name: str) -> list[str]:
    """What decides the result of a variant; without what it replaces of the base."""
    own = VARIANTS[name]
    keys = {override.split("=")[0] for override in own}
    return [override for override in BASE if override.split("=")[0] not in keys] + own


def record_overrides(name: str, threads: int) -> list[str]:
    """How it is run and recorded."""
    return [f"trainer.threads={threads}", "tracking.experiment=recipes", f"tracking.run_name={json.dumps(name)}"]


def train(name: str, threads: int) -> dict:
    """Run one variant; its figures, and where they come from."""
    words = overrides(name)
    command = [sys.executable, "-m", "maxexp", *words, *record_overrides(name, threads)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.search(r"^run (\w{32})", output, re.M)
    assert found, "the run did not say its id"
    run = read_run(open_store(TrackingConfig()), found[1])
    return {
        "command": f"python -m maxexp {' '.join(words)}",
        "run": run.run_id,
        "commit": run.tags.get("mlflow.source.git.commit"),
        "validation_accuracy": run.metrics["val/best_accuracy"],
        "epoch": int(run.metrics["val/best_epoch"]) + 1,
        "float_accuracy": max(
            value for step, value in run.history("val/accuracy") if step < run.metrics["train/qat_epoch"]
        ),
        "training_seconds": sum(seconds for _, seconds in run.history("train/seconds")),
        "seed": int(run.params["seed"]),
    }


def table(results: dict) -> str:
    """Markdown: each variant beside the reference."""
    rows = [
        "| recipe | validation, quantized | gain | float phase | chosen epoch |",
        "|--|--:|--:|--:|--:|",
    ]
    base = results["variants"][REFERENCE]
    for name in filter(results["variants"].__contains__, VARIANTS):  # in this order, whichever was ready first
        entry = results["variants"][name]
        gain = 100 * (entry["validation_accuracy"] - base["validation_accuracy"])
        rows.append(
            f"| {name} | {100 * entry['validation_accuracy']:.2f} % | {gain:+.2f} | "
            f"{100 * entry['float_accuracy']:.2f} % | {entry['epoch']} |"
        )
    lacking = [name for name in VARIANTS if name not in results["variants"]]
    notes = ["", f"Not measured yet: {'; '.join(lacking)}."] if lacking else []
    return "\n".join([*rows, *notes]) + "\n"


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="variants trained at once (default: 1)")
    parser.add_argument("--threads", type=int, default=1, help="threads of each (default: 1)")
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=f"default: all of {', '.join(VARIANTS)}")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.variants if name not in VARIANTS]:
        parser.error(f"no variant {unknown[0]!r}; there are {', '.join(VARIANTS)}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"variants": {}}
    wanted = dict.fromkeys([REFERENCE, *(arguments.variants or VARIANTS)])
    with ThreadPoolExecutor(arguments.jobs) as pool:
        jobs = {
            pool.submit(train, name, arguments.threads): name for name in wanted if name not in results["variants"]
        }
        for job in as_completed(jobs):
            if failure := job.exception():
                print(f"{jobs[job]}: {failure}", file=sys.stderr, flush=True)
                continue
            results["variants"][jobs[job]] = job.result()
            results["machine"] = {k: v for k, v in provenance().items() if k in ("cpu", "cores", "version.torch")}
            RESULTS.write_text(json.dumps(results, indent=2) + "\n")
            print(f"{jobs[job]}: {len(results['variants'])} of {len(VARIANTS)} variants are measured", flush=True)
    if lacking := [name for name in wanted if name not in results["variants"]]:
        sys.exit(f"not measured: {', '.join(lacking)}; run the command again to try only them")
    README.write_text(TABLE.sub(lambda _: table(results), README.read_text()))


if __name__ == "__main__":
    main()
