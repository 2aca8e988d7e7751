"""Every parser of outside bytes on mutated inputs: what came of them, in how much time and memory.

    python -m experiments.reliability.parsers --seconds 1800     (from the checkout's folder; hours of one core)

Runs the tests that mutate inputs (``tests/*/test_mutated.py`` and two of ``tests/base``) with 10,000 inputs for each
parser, or as many as the seconds suffice for; the figures say how many those were. Writes ``parsers.json`` and
``parsers.md`` beside this file, anew after each test file; the parsers of other files stay as they are there.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from experiments.reliability.origin import origin

FOLDER = Path(__file__).resolve().parent
CHECKOUT = FOLDER.parents[1]
FILES = ["tests/base/test_array_file.py", "tests/base/test_yaml_file.py"]
HEADING = "| parser | inputs | read | refused in one line | anything else | slowest, CPU s | most memory, MiB |"
RULE = "|--|--:|--:|--:|--:|--:|--:|"


def measure(file: str, arguments: argparse.Namespace) -> list[dict]:
    """The figures of the parsers of one test file."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures"
        environment = os.environ | {
            "MAXEXP_FUZZ": str(arguments.inputs),
            "MAXEXP_FUZZ_SEED": str(arguments.seed),
            "MAXEXP_FUZZ_SECONDS": str(arguments.seconds),
            "MAXEXP_FUZZ_FIGURES": str(figures),
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "0", file]
        subprocess.run(command, cwd=CHECKOUT, env=environment)
        known = origin("experiments.reliability.parsers")
        made = {"file": file, "date": known["date"], "commit": known["mlflow.source.git.commit"][:7]}
        return [json.loads(line) | made for line in figures.read_text().splitlines()] if figures.exists() else []


def table(figures: list[dict]) -> str:
    """As Markdown."""
    rows = [
        f"| {one['parser']} | {one['inputs']:,} | {one['accepted']:,} | {one['refused']:,} | "
        f"{sum(one['faults'].values()):,} | {one['slowest_s']:.2f} | {one['most_mib']:.0f} |"
        for one in figures
    ]
    return "\n".join([HEADING, RULE, *rows])


def write(content: dict, output: Path) -> None:
    """The figures, and the table of them."""
    output.write_text(json.dumps(content, indent=1) + "\n")
    commits = sorted({one["commit"] for one in content["parsers"]})
    made = (
        f"Made by `{content['command']}` on {content['cores']} cores of {content['cpu']}, {content['date']}, commits"
    )
    text = f"# Parsers on mutated inputs\n\n{table(content['parsers'])}\n\n{made} {', '.join(commits)}.\n"
    output.with_suffix(".md").write_text(text)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000, help="of each parser (%(default)s)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for each parser (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations (%(default)s)")
    parser.add_argument("--output", type=Path, default=FOLDER / "parsers.json", help="of the figures (%(default)s)")
    parser.add_argument("files", nargs="*", help="test files (all)")
    arguments = parser.parse_args()
    further = sorted(str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("tests/*/test_mutated.py"))
    known = json.loads(arguments.output.read_text())["parsers"] if arguments.output.exists() else []
    for file in arguments.files or [*FILES, *further]:
        known = [one for one in known if one["file"] != file] + measure(file, arguments)
        write({**origin("experiments.reliability.parsers"), "parsers": known}, arguments.output)


if __name__ == "__main__":
    main()
