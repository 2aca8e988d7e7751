"""Is maxexp as fast, and as small in memory, as at another commit? Both are measured by turns on one machine.

    git worktree add ../before COMMIT
    python experiments/benchmarks/against.py ../before          (4 minutes on 2 quiet cores)

Runs the scripts of the parts training and overhead of both checkouts, each with its own code, in alternating rounds,
and prints medians with extremes. Needs CIFAR-10 (data/ or MAXEXP_DATA). Nothing is written.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from turns import FOLDER, between, say, spread
from workload import PHASE_LABELS, PHASES

HERE = FOLDER.parents[1]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="a checkout of the other commit")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each checkout (default 2)")
    parser.add_argument("--images", type=int, default=2304, help="training images per epoch (default 2304)")
    parser.add_argument("--epochs", type=int, default=3, help="epochs per turn; the first is not counted (default 3)")
    return parser.parse_args()


def call(checkout: Path, script: str, *words: object) -> Any:
    """The JSON value that a benchmark script of a checkout prints last, run with that checkout's code."""
    folder = checkout / "experiments" / "benchmarks"
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, str(folder / script), *map(str, words)]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: error: {script} of {checkout}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def overhead(loops: dict[str, dict[str, list[float]]]) -> float:
    """The time of a training step above that of the bare loop, as a share of it."""
    step = {name: statistics.median(loop["step_s"]) for name, loop in loops.items()}
    return step["maxexp"] / step["bare"] - 1


def measure(checkouts: dict[str, Path], rounds: int, images: int, epochs: int) -> dict[tuple[str, str], dict]:
    """All values by phase and checkout: images/s, peak memory in MiB, overhead per step in percent."""
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for phase in PHASES:
            # Who begins changes with the round: the second turn finds a warmer machine.
            for name in list(checkouts)[:: 1 if number % 2 == 0 else -1]:
                turn, loops = (
                    call(checkouts[name], "contestants.py", "maxexp", phase, images, epochs),
                    call(checkouts[name], "overhead.py", phase, max(512, images // 2), epochs),
                )
                row = found[phase, name]
                row["images/s"] += [images / seconds for seconds in turn["seconds"]]
                row["peak memory, MiB"].append(turn["peak_mib"])
                row["overhead, % per step"].append(100 * overhead(loops))
                say(f"round {number + 1}, {phase}, {name}: {statistics.median(row['images/s']):.0f} images/s")
    return found


def table(found: dict[tuple[str, str], dict], names: list[str]) -> str:
    """Markdown: a row for each phase and quantity, medians with the least and the most."""
    lines = [f"| | {' | '.join(names)} | ratio |", "|--|--:|--:|--:|"]
    for phase in PHASES:
        for quantity in found[phase, names[0]]:
            first, second = (spread(found[phase, name][quantity]) for name in names)
            digits = 1 if "%" in quantity else 0
            ratio = second["median"] / first["median"] if first["median"] else float("nan")
            cells = f"{between(first, digits)} | {between(second, digits)} | {ratio:.3f}"
            lines.append(f"| {PHASE_LABELS[phase]}, {quantity} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    typed = arguments()
    checkouts = {"before": typed.before.resolve(), "now": HERE}
    if not (checkouts["before"] / "maxexp" / "__init__.py").is_file():
        sys.exit(
            f"bench: error: {typed.before} is no checkout of maxexp; make one: git worktree add ../before COMMIT"
        )
    print(table(measure(checkouts, typed.rounds, typed.images, typed.epochs), list(checkouts)))


if __name__ == "__main__":
    main()
