"""Every parser of outside bytes on mutated inputs: what came of them, in how much time and memory.

python experiments/reliability/parsers.py [INPUTS [SEED]]    10,000 of each parser by default; hours of one core

Runs the tests that mutate inputs (``tests/*/test_mutated.py`` and two of ``tests/base``) with more inputs, and
writes ``parsers.json`` and ``parsers.md`` beside this file.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CHECKOUT = FOLDER.parents[1]
TESTS = ("tests/base/test_array_file.py", "tests/base/test_yaml_file.py")
HEADING = "| parser | inputs | read | refused in one line | anything else | slowest, CPU s | most memory, MiB |"
RULE = "|--|--:|--:|--:|--:|--:|--:|"


def measure(inputs: int, seed: int) -> list[dict]:
    """The figures of each parser."""
    tests = [*TESTS, *sorted(str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("tests/*/test_mutated.py"))]
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures"
        environment = os.environ | {
            "MAXEXP_FUZZ": str(inputs),
            "MAXEXP_FUZZ_SEED": str(seed),
            "MAXEXP_FUZZ_FIGURES": str(figures),
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "pytest", "-q", "--timeout", "0", *tests]
        subprocess.run(command, cwd=CHECKOUT, env=environment)
        return [json.loads(line) for line in figures.read_text().splitlines()]


def table(figures: list[dict]) -> str:
    """As Markdown."""
    rows = [
        f"| {one['parser']} | {one['inputs']:,} | {one['accepted']:,} | {one['refused']:,} | "
        f"{sum(one['faults'].values()):,} | {one['slowest_s']:.2f} | {one['most_mib']:.0f} |"
        for one in figures
    ]
    return "\n".join([HEADING, RULE, *rows])


def main() -> None:
    inputs, seed = (int(word) for word in (*sys.argv[1:3], *("10000", "0")[len(sys.argv) - 1 :]))
    figures = measure(inputs, seed)
    (FOLDER / "parsers.json").write_text(json.dumps(figures, indent=1) + "\n")
    command = f"Made by `python experiments/reliability/parsers.py {inputs} {seed}`."
    (FOLDER / "parsers.md").write_text(f"# Parsers on mutated inputs\n\n{table(figures)}\n\n{command}\n")


if __name__ == "__main__":
    main()
