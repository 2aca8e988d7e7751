"""Seconds from the command to the end of the first training step, and where they go.

    python start.py EPOCH_SECONDS KEY=VALUE ...

runs maxexp's command, notes when each part of the start is over, and ends the process after the first step. It prints
the seconds since EPOCH_SECONDS (time.time() before this process was made) for each part.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from matplotlib.axes import Axes
from turns import Size, call, say, spread

TITLE = "From the command to the first step"
PARTS = {
    "configuration": "Python, Hydra, configuration",
    "libraries": "import of torch and Lightning",
    "record": "checks; MLflow: import, run record",
    "data": "data: read or decode, check, digest",
    "step": "trainer and first step",
}
COLORS = ["#bbbbbb", "#ee6677", "#ccbb44", "#228833", "#4477aa"]
LABELS = {"first": "first run", "later": "later run"}


def measure(size: Size) -> dict:
    """Seconds of each part, for the first run in a fresh place and for one after it."""
    turns: dict[str, list[dict]] = {name: [] for name in LABELS}
    for number in range(size.rounds):
        with tempfile.TemporaryDirectory() as folder:
            places = [f"tracking.uri=sqlite:///{folder}/mlflow.db", f"hydra.run.dir={folder}/run"]
            for name in LABELS:
                # The second finds decoded images and a tracking database.
                command = ("start.py", time.time(), "+experiment=cifar10_qat", *places)
                turns[name].append(call(*command, MAXEXP_CACHE=folder))
                say(f"start, round {number + 1}, {LABELS[name]}: {sum(turns[name][-1].values()):.1f} s")
    return {
        name: {
            "total_s": spread([sum(parts.values()) for parts in results]),
            "parts_s": {part: statistics.median(parts[part] for parts in results) for part in PARTS},
        }
        for name, results in turns.items()
    }


def markdown(result: dict) -> str:
    """Seconds by part."""
    lines = ["| seconds, median | first run | later run |", "|--|--:|--:|"]
    for part, label in PARTS.items():
        lines.append(f"| {label} | " + " | ".join(f"{result[name]['parts_s'][part]:.1f}" for name in LABELS) + " |")
    lines.append("| all | " + " | ".join(f"{result[name]['total_s']['median']:.1f}" for name in LABELS) + " |")
    return "\n".join(lines)


def draw(axes: Axes, result: dict) -> None:
    """The parts on top of one another."""
    base = [0.0] * len(LABELS)
    for (part, label), color in zip(PARTS.items(), COLORS, strict=True):
        seconds = [result[name]["parts_s"][part] for name in LABELS]
        axes.bar(range(len(LABELS)), seconds, 0.6, bottom=base, color=color, label=label)
        base = [low + high for low, high in zip(base, seconds, strict=True)]
    for place, top in enumerate(base):
        axes.annotate(f"{top:.1f} s", (place, top), (0, 3), ha="center", textcoords="offset points", fontsize=9)
    axes.set_xticks(range(len(LABELS)), ["first run\n(nothing cached)", "later run"])
    axes.set_ylabel("seconds")
    axes.set_ylim(0, 1.75 * max(base))
    axes.legend(frameon=False, fontsize=8, loc="upper right", reverse=True)


def main() -> None:
    began, overrides = float(sys.argv[1]), sys.argv[2:]
    ends: list[float] = []
    from maxexp.cli import run as __main__
    from maxexp.run import execution

    compose, prepare, execute = __main__.run_stages, execution.prepare, execution.execute

    def composed(*arguments) -> None:
        ends.append(time.time())
        compose(*arguments)

    def prepared(*arguments):
        # As the stage that trains does first.
        import maxexp.run.recorded_training  # noqa: F401

        ends.append(time.time())
        return prepare(*arguments)

    def recorded(*arguments) -> None:
        ends.append(time.time())
        from maxexp.training import phases

        fit = phases.fit

        def fitting(*arguments) -> None:
            ends.append(time.time())
            fit(*arguments)

        from torch.optim.optimizer import register_optimizer_step_post_hook

        register_optimizer_step_post_hook(lambda *_: finish([*ends, time.time()], began))
        phases.fit = fitting
        execute(*arguments)

    __main__.run_stages, execution.prepare, execution.execute = composed, prepared, recorded
    sys.argv = [str(Path(__main__.__file__)), *overrides]
    __main__.main()


def finish(ends: list[float], began: float) -> None:
    """Print the parts and leave without clearing up."""
    starts = [began, *ends]
    print(json.dumps({part: end - start for part, start, end in zip(PARTS, starts, ends, strict=False)}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
