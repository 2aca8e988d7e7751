"""Measurements by turns, each in a process of its own, so that a busy moment of the machine meets all alike."""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        rounds: turns of each contestant.
        images: training images per epoch.
        epochs: epochs per turn; the first is not counted.
        test_images: images to evaluate.
        long_run: epochs over which memory is watched.
    """

    rounds: int = 2
    images: int = 2304
    epochs: int = 3
    test_images: int = 10_000
    long_run: int = 30


def call(script: str, *arguments: object, **environment: str) -> Any:
    """Run a script of this folder; the last line that it prints is a JSON value, and returned.

    Raises:
        SystemExit: it failed; with the last line of its errors.
    """
    command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        sys.exit(f"bench: error: {script} {' '.join(map(str, arguments))}: {lines[-1]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def spread(values: list[float]) -> dict[str, float]:
    """Median and extremes."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def between(row: dict[str, float], digits: int = 0) -> str:
    """``median (least to most)`` for a table."""
    return f"{row['median']:.{digits}f} ({row['least']:.{digits}f} to {row['most']:.{digits}f})"


def say(text: str) -> None:
    """Progress of the benchmark."""
    print(text, flush=True)
