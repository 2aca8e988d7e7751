"""Sweeps and trainings that are killed while workers are alive: what is lost, doubled or left running.

    python -m experiments.reliability.kills --number 100 --work FOLDER     (from the checkout's folder)

A kill is SIGKILL, SIGTERM or SIGINT to the leader of a sweep, to one worker, to all processes at once, or to a
training; the same command, or resume=, then goes on. Commands are forked from a process that has everything imported
(forks.py), so that a kill costs seconds; with --whole each is a Python of its own. Results go to kills.json beside
this file after each sweep and training; what is there already is not repeated.
"""

import argparse
import json
import random
import shutil
import signal
from contextlib import nullcontext
from pathlib import Path

from experiments.reliability import sweeps, trainings
from experiments.reliability.origin import origin
from experiments.reliability.processes import forking

HERE = Path(__file__).resolve().parent
PER_SWEEP, PER_TRAINING = 14, 6


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=100, help="kills (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first sweep (%(default)s)")
    parser.add_argument("--work", type=Path, required=True, help="folder to work in")
    parser.add_argument("--output", type=Path, default=HERE / "kills.json", help="file of the results (%(default)s)")
    parser.add_argument("--whole", action="store_true", help="start a Python for each process")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    # A shell lets what it starts in the background ignore Ctrl-C, and so would all that is started from here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with nullcontext() if arguments.whole else forking(arguments.work.absolute()):
        campaign(arguments)


def campaign(arguments: argparse.Namespace) -> None:
    """Kill until there are as many kills as are wanted."""
    done = json.loads(arguments.output.read_text())["cases"] if arguments.output.exists() else []
    reference = arguments.work.absolute() / "undisturbed"
    if not (reference / "output.txt").exists():
        trainings.undisturbed(reference)
    while sum(len(case["kills"]) for case in done) < arguments.number:
        seed = max((case["seed"] + 1 for case in done), default=arguments.seed)
        kind = "sweep" if seed % 2 else "training"
        folder = arguments.work.absolute() / f"{kind}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if kind == "sweep":
            kills, wrong = sweeps.torment(folder, PER_SWEEP, random.Random(seed))
        else:
            kills, wrong = trainings.torment(folder, PER_TRAINING, random.Random(seed), reference)
        print(f"{kind} {seed}: {len(kills)} kills, wrong: {wrong or 'nothing'}", flush=True)
        done.append({"kind": kind, "seed": seed, "kills": kills, "forked": not arguments.whole, "wrong": wrong})
        content = {**origin("experiments.reliability.kills"), "cases": done}
        arguments.output.write_text(json.dumps(content, indent=1) + "\n")
        if not wrong:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
