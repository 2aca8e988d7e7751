"""Training speed of maxexp against the plain way, and against ai8x-training where AI8X_TRAINING names a checkout.

    make bench                      (a quarter of an hour on 2 cores)
    make bench ARGS="--rounds 3 --images 4608"

The contestants run by turns, each in a process of its own, so that a busy moment of the machine meets all of them.
Writes results.json and results.png beside this file. Needs CIFAR-10 (dataset.root as usual: data/ or MAXEXP_DATA).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from matplotlib.figure import Figure

from maxexp.tracking.provenance import provenance

FOLDER = Path(__file__).resolve().parent
PHASES = ("float", "qat")
LABELS = {"plain": "plain loop", "ai8x": "ai8x-training", "maxexp": "maxexp"}
COLORS = {"plain": "#bbbbbb", "ai8x": "#ee6677", "maxexp": "#4477aa"}


def measure(name: str, phase: str, images: int, epochs: int) -> dict:
    """One contestant's seconds per epoch and peak memory."""
    command = [sys.executable, str(FOLDER / "contestants.py"), name, phase, str(images), str(epochs)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: error: {name}, {phase}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def summarize(measured: dict[tuple[str, str], list[dict]], images: int) -> dict:
    """Images per second (whole epochs), ratios to maxexp, peak memory: medians over all rounds."""
    table: dict = {}
    for (phase, name), results in measured.items():
        rates = [images / seconds for result in results for seconds in result["seconds"]]
        table.setdefault(phase, {})[name] = {
            "images_per_s": statistics.median(rates),
            "slowest": min(rates),
            "fastest": max(rates),
            "peak_mib": statistics.median(result["peak_mib"] for result in results),
        }
    for row in table.values():
        for name in row:
            row[name]["maxexp_is_faster_by"] = row["maxexp"]["images_per_s"] / row[name]["images_per_s"]
    return table


def draw(table: dict) -> Figure:
    """Images per second by phase and contestant."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    names = list(table[PHASES[0]])
    width = 0.8 / len(names)
    for index, name in enumerate(names):
        places = [phase + width * (index - (len(names) - 1) / 2) for phase in range(len(PHASES))]
        rows = [table[phase][name] for phase in PHASES]
        rates = [row["images_per_s"] for row in rows]
        spread = [[r["images_per_s"] - r["slowest"] for r in rows], [r["fastest"] - r["images_per_s"] for r in rows]]
        axes.bar(places, rates, width * 0.95, yerr=spread, color=COLORS[name], label=LABELS[name], capsize=3)
        for place, row in zip(places, rows, strict=True):
            times = "" if name == "maxexp" else f"\nmaxexp x {row['maxexp_is_faster_by']:.1f}"
            axes.annotate(f"{row['images_per_s']:.0f}{times}", (place, row["fastest"]), (0, 3), ha="center",
                          textcoords="offset points", fontsize=9)  # fmt: skip
    axes.set_xticks(range(len(PHASES)), ["floating point", "quantization-aware"])
    axes.set_ylabel("images per second, whole epochs")
    axes.set_title(f"Training NASCifarNet on CIFAR-10, {os.cpu_count()} CPU cores", fontsize=11)
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2304, help="training images per epoch")
    parser.add_argument("--epochs", type=int, default=3, help="epochs per turn; the first is not counted")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each contestant")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of results.json and results.png")
    arguments = parser.parse_args()
    names = ["plain", *(["ai8x"] if os.environ.get("AI8X_TRAINING") else []), "maxexp"]
    measured: dict[tuple[str, str], list[dict]] = defaultdict(list)
    for number in range(arguments.rounds):
        for phase in PHASES:
            for name in names:
                result = measure(name, phase, arguments.images, arguments.epochs)
                measured[phase, name].append(result)
                rate = arguments.images / statistics.median(result["seconds"])
                print(f"round {number + 1}, {phase}, {LABELS[name]}: {rate:.0f} images/s", flush=True)
    table = summarize(measured, arguments.images)
    settings = {key: getattr(arguments, key) for key in ("images", "epochs", "rounds")}
    machine = {key: value for key, value in provenance().items() if not key.startswith(("mlflow.user", "host"))}
    content = {"command": "make bench", "settings": settings, "results": table, "machine": machine}
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "results.json").write_text(json.dumps(content, indent=2) + "\n")
    draw(table).savefig(arguments.output / "results.png", dpi=120)
    for phase, row in table.items():
        for name in names[:-1]:
            print(f"{phase}: maxexp is {row[name]['maxexp_is_faster_by']:.1f} times as fast as {LABELS[name]}")


if __name__ == "__main__":
    main()
