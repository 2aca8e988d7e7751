"""How the cost of a training grows: seconds with images, records and cache with steps, memory with epochs.

python growth.py epochs float|qat EPOCHS IMAGES ...    seconds of every epoch but the first, for each number of images
python growth.py memory float|qat EPOCHS IMAGES        resident memory after every epoch, MiB
python growth.py record BATCH IMAGES                   what a run of both phases leaves behind, see Footprint
"""

import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from turns import Size, call, say
from workload import BATCH, PHASE_LABELS, PHASES, cifar10, nascifarnet, run_data, train_recorded, training_settings

from maxexp.data.config import DatasetConfig
from maxexp.network.graph import Network
from maxexp.quantization.config import Method, QuantizationConfig

TITLE = "Growth"
COLORS = {"float": "#4477aa", "qat": "#ee6677"}
MULTIPLES = (0.5, 1, 2, 4)
STEPS_FACTOR = 4


@dataclass(frozen=True)
class Footprint:
    """What a run leaves behind.

    Attributes:
        steps: training steps of one epoch.
        metric_rows: points of all curves in the tracking database.
        database_bytes: of its file.
        run_files: files in the run's folder and among its artifacts.
        run_bytes: of these files.
        cache_bytes: of the data cache.
    """

    steps: int
    metric_rows: int
    database_bytes: int
    run_files: int
    run_bytes: int
    cache_bytes: int


def footprint(network: Network, dataset: DatasetConfig, batch: int, folder: Path) -> Footprint:
    """Train an epoch of each phase in an empty folder, whose subfolder ``cache`` the data set must name."""
    data = run_data(dataset, batch)
    settings = training_settings(QuantizationConfig(Method.qat, start_epoch=1), 2, batch)
    train_recorded(network, data, settings, folder)
    database = folder / "mlflow.db"
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT count(*) FROM metrics").fetchone()[0]
    kept = [path.stat().st_size for name in ("run", "artifacts") for path in _files(folder / name)]
    cache = sum(path.stat().st_size for path in _files(folder / "cache"))
    return Footprint(
        len(data.training_batches(lambda: 0)), rows, database.stat().st_size, len(kept), sum(kept), cache
    )


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def measure(size: Size) -> dict:
    """Fits of seconds to images, what is left behind at 1 and 4 times as many steps, memory by epoch."""
    sizes = [int(multiple * size.images) for multiple in MULTIPLES]
    seconds: dict[str, dict[int, list[float]]] = {phase: {n: [] for n in sizes} for phase in PHASES}
    for number in range(size.rounds):
        for phase in PHASES:
            rows = call("growth.py", "epochs", phase, size.epochs, *sizes)
            for images, row in zip(sizes, rows, strict=True):
                seconds[phase][images] += row
            say(f"growth, round {number + 1}, {phase}: {min(rows[0]):.1f} to {max(rows[-1]):.1f} s per epoch")
    record = [call("growth.py", "record", BATCH // factor, size.images) for factor in (1, STEPS_FACTOR)]
    say(f"growth: {record[0]['metric_rows']} and {record[1]['metric_rows']} metric rows")
    memory = {phase: call("growth.py", "memory", phase, size.long_run, size.images // 2) for phase in PHASES}
    return {
        "epochs": {phase: line(row) for phase, row in seconds.items()},
        "record": record,
        "memory_mib": {phase: {"by_epoch": row, "mib_per_epoch": slope(row)} for phase, row in memory.items()},
    }


def line(seconds: dict[int, list[float]]) -> dict:
    """The line through the medians, of least relative error, and how far the worst of them is from it."""
    images = np.array(list(seconds), float)
    medians = np.array([statistics.median(values) for values in seconds.values()])
    per_image, fixed = np.polyfit(images, medians, 1, w=1 / medians)
    deviations = medians / (fixed + per_image * images) - 1
    return {
        "images": list(seconds),
        "seconds": medians.tolist(),
        "seconds_per_1000_images": 1000 * per_image,
        "fixed_seconds": fixed,
        "worst_deviation": max(abs(deviations)),
    }


def slope(memory: list[float]) -> float:
    """MiB per epoch over the second half: by then all buffers have been made."""
    half = memory[len(memory) // 2 :]
    return float(np.polyfit(range(len(half)), half, 1)[0]) if len(half) > 1 else 0.0


def markdown(result: dict) -> str:
    """Fit, footprint, memory."""
    lines = ["| seconds per epoch | " + " | ".join(f"{n} images" for n in result["epochs"]["float"]["images"]) + " "]
    lines[0] += "| fit | worst deviation |"
    lines.append("|--|" + "--:|" * (len(MULTIPLES) + 2))
    for phase, row in result["epochs"].items():
        cells = " | ".join(f"{s:.2f}" for s in row["seconds"])
        fit = f"{row['fixed_seconds']:.2f} s + {row['seconds_per_1000_images']:.3f} s per 1,000"
        lines.append(f"| {PHASE_LABELS[phase]} | {cells} | {fit} | {100 * row['worst_deviation']:.1f} % |")
    one, four = result["record"]
    lines += ["", f"| left behind by a run | {one['steps']} steps per epoch | {four['steps']} steps per epoch |"]
    lines.append("|--|--:|--:|")
    for key in list(one)[1:]:
        lines.append(f"| {key.replace('_', ' ')} | {one[key]:,} | {four[key]:,} |")
    lines += ["", "| resident memory, MiB | after epoch 1 | half way | at the end | slope of the second half |"]
    lines.append("|--|--:|--:|--:|--:|")
    for phase, row in result["memory_mib"].items():
        mib = row["by_epoch"]
        cells = [f"{PHASE_LABELS[phase]}, {len(mib)} epochs"]
        cells += [f"{x:.0f}" for x in (mib[0], mib[len(mib) // 2], mib[-1])]
        lines.append(f"| {' | '.join(cells)} | {row['mib_per_epoch']:+.2f} per epoch |")
    return "\n".join(lines)


def draw_epochs(axes: Axes, result: dict) -> None:
    """Seconds per epoch over images, with the fitted lines."""
    for phase, row in result["epochs"].items():
        ends = np.array([0, max(row["images"])])
        fit = row["fixed_seconds"] + row["seconds_per_1000_images"] * ends / 1000
        worst = f"{PHASE_LABELS[phase]}: within {100 * row['worst_deviation']:.1f} %"
        axes.plot(ends, fit, color=COLORS[phase], linewidth=1)
        axes.plot(row["images"], row["seconds"], "o", color=COLORS[phase], label=worst)
    axes.set(xlabel="images per epoch", ylabel="seconds per epoch", ylim=(0, None))
    axes.legend(frameon=False)


def draw_memory(axes: Axes, result: dict) -> None:
    """Resident memory by epoch."""
    for phase, row in result["memory_mib"].items():
        epochs = range(1, len(row["by_epoch"]) + 1)
        label = f"{PHASE_LABELS[phase]}: {row['mib_per_epoch']:+.2f} MiB per epoch"
        axes.plot(epochs, row["by_epoch"], ".-", color=COLORS[phase], label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel="resident memory, MiB", ylim=(0, 1.5 * max(axes.get_ylim())))
    axes.legend(frameon=False)


def train(phase: str, images: int, epochs: int, mark: Callable[[], float]) -> list[float]:
    """What ``mark`` returns at the end of each epoch."""
    marks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        data = run_data(cifar10(images, 500))
        settings = training_settings(PHASES[phase], epochs)
        train_recorded(nascifarnet(), data, settings, Path(folder), lambda: marks.append(mark()))
    return marks


def main() -> None:
    kind, first, *rest = sys.argv[1:]
    counts = [int(word) for word in rest]
    result: object
    if kind == "record":
        with tempfile.TemporaryDirectory() as folder:
            dataset = cifar10(counts[0], 500, f"{folder}/cache")
            result = asdict(footprint(nascifarnet(), dataset, int(first), Path(folder)))
    elif kind == "epochs":
        ends = [train(first, images, counts[0], time.perf_counter) for images in counts[1:]]
        result = [[later - earlier for earlier, later in pairwise(row)] for row in ends]
    else:
        process = psutil.Process()
        result = train(first, counts[1], counts[0], lambda: process.memory_info().rss / 2**20)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
