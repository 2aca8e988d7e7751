"""Training speed and memory, whole epochs: the plain loop, ai8x-training, maxexp."""

import os
import statistics
from collections import defaultdict

from matplotlib.axes import Axes
from turns import Size, between, call, say, spread
from workload import PHASE_LABELS, PHASES

TITLE = "Training"
LABELS = {"plain": "plain loop", "ai8x": "ai8x-training", "maxexp": "maxexp"}
COLORS = {"plain": "#bbbbbb", "ai8x": "#ee6677", "maxexp": "#4477aa"}


def measure(size: Size) -> dict:
    """Images per second, ratios to maxexp and peak memory of every contestant in both phases."""
    names = ["plain", *(["ai8x"] if os.environ.get("AI8X_TRAINING") else []), "maxexp"]
    measured: dict[tuple[str, str], list[dict]] = defaultdict(list)
    for number in range(size.rounds):
        for phase in PHASES:
            for name in names:
                result = call("contestants.py", name, phase, size.images, size.epochs)
                measured[phase, name].append(result)
                rate = size.images / statistics.median(result["seconds"])
                say(f"training, round {number + 1}, {phase}, {LABELS[name]}: {rate:.0f} images/s")
    return summarize(measured, size.images)


def summarize(measured: dict[tuple[str, str], list[dict]], images: int) -> dict:
    """Medians and extremes over all rounds, by phase and contestant."""
    table: dict = defaultdict(dict)
    for (phase, name), turns in measured.items():
        table[phase][name] = {
            "images_per_s": spread([images / seconds for turn in turns for seconds in turn["seconds"]]),
            "peak_mib": spread([turn["peak_mib"] for turn in turns]),
            "loader_worker_mib": statistics.median(turn["worker_mib"] for turn in turns),
        }
    for row in table.values():
        fastest = row["maxexp"]["images_per_s"]["median"]
        for name in row:
            row[name]["maxexp_is_faster_by"] = fastest / row[name]["images_per_s"]["median"]
    return dict(table)


def markdown(table: dict) -> str:
    """Speed and memory, a row for each phase."""
    names = list(table["float"])
    head = " | ".join(LABELS[name] for name in names)
    lines = [f"| images/s | {head} | ratios |", "|--|" + "--:|" * len(names) + "--|"]
    for phase, row in table.items():
        cells = " | ".join(between(row[name]["images_per_s"]) for name in names)
        ratios = ", ".join(f"{row[name]['maxexp_is_faster_by']:.1f}" for name in names[:-1])
        lines.append(f"| {PHASE_LABELS[phase]} | {cells} | {ratios} |")
    lines += ["", f"| peak memory, MiB | {head} |", "|--|" + "--:|" * len(names)]
    for phase, row in table.items():
        lines.append(f"| {PHASE_LABELS[phase]} | {' | '.join(_memory(row[name]) for name in names)} |")
    return "\n".join(lines)


def _memory(values: dict) -> str:
    workers = values["loader_worker_mib"]
    return f"{values['peak_mib']['median']:.0f}" + (f" + 2 workers of {workers:.0f}" if workers else "")


def draw_speed(axes: Axes, table: dict) -> None:
    """Images per second by phase and contestant."""
    for place, name, row in _bars(axes, table, "images_per_s"):
        times = "" if name == "maxexp" else f"\nmaxexp x {row['maxexp_is_faster_by']:.1f}"
        _annotate(axes, place, row["images_per_s"], times)
    axes.set_ylabel("images per second, whole epochs")
    axes.legend(frameon=False)


def draw_memory(axes: Axes, table: dict) -> None:
    """Peak memory by phase and contestant, without loader workers."""
    for place, _, row in _bars(axes, table, "peak_mib"):
        _annotate(axes, place, row["peak_mib"], "")
    axes.set_ylabel("peak memory, MiB, without workers")
    axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper center", columnspacing=1)


def _bars(axes: Axes, table: dict, key: str) -> list[tuple[float, str, dict]]:
    """A group of bars for each phase; returns where each stands and what it shows."""
    bars = []
    for group, row in enumerate(table.values()):
        width = 0.8 / len(row)
        for index, (name, values) in enumerate(row.items()):
            place, value = group + width * (index - (len(row) - 1) / 2), values[key]
            ends = [[value["median"] - value["least"]], [value["most"] - value["median"]]]
            label = None if group else LABELS[name]
            axes.bar(place, value["median"], width * 0.95, yerr=ends, color=COLORS[name], label=label, capsize=3)
            bars.append((place, name, values))
    axes.set_xticks(range(len(table)), [PHASE_LABELS[phase] for phase in table])
    axes.margins(y=0.15)
    return bars


def _annotate(axes: Axes, place: float, value: dict[str, float], more: str) -> None:
    text, above = f"{value['median']:.0f}{more}", (place, value["most"])
    axes.annotate(text, above, (0, 3), ha="center", textcoords="offset points", fontsize=9)
