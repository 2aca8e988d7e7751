"""How fast is maxexp, and how does its cost grow? Also against ai8x-training where AI8X_TRAINING names a checkout.

    make bench                                     (25 minutes on 2 quiet cores)
    make bench ARGS="--parts start,overhead"       (some parts only; the results have no others then)
    make bench ARGS=--quick                        (small sizes: whether it runs, not how fast)

Whatever is compared runs by turns, so that a busy moment of the machine meets all alike. Writes results.json,
results.png and details.png beside this file, and the tables into its README. Needs CIFAR-10 (data/ or MAXEXP_DATA).
"""

import argparse
import json
import os
import shlex
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import evaluation
import growth
import overhead
import start
import training_speed
from matplotlib.figure import Figure
from pictures import details, speed
from turns import FOLDER, Size

from maxexp.tracking.provenance import provenance

PARTS = {"training": training_speed, "evaluation": evaluation, "start": start, "overhead": overhead, "growth": growth}
PICTURES = {"results.png": "Images per second", "details.png": "Evaluation, overhead, start, memory, growth"}
QUICK = Size(rounds=1, images=256, epochs=2, test_images=200, long_run=4)
BEGIN, END = "<!-- tables: written by bench.py -->\n", "<!-- end of tables -->\n"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=known_parts, default=list(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--rounds", type=int, help=f"turns of each contestant (default {Size.rounds})")
    parser.add_argument("--images", type=int, help=f"training images per epoch (default {Size.images})")
    parser.add_argument("--epochs", type=int, help=f"epochs per turn; the first is not counted ({Size.epochs})")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of the results")
    return parser.parse_args()


def known_parts(text: str) -> list[str]:
    """Parts by name, in the order of measurement."""
    names = text.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part {unknown[0]}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if name in names]


def origin() -> dict:
    """Command, date, machine and versions."""
    checkout = {"AI8X_TRAINING": os.environ["AI8X_TRAINING"]} if os.environ.get("AI8X_TRAINING") else {}
    words = [f"{key}={value}" for key, value in checkout.items()]
    words += ["make", "bench", *([f"ARGS={shlex.join(sys.argv[1:])}"] if sys.argv[1:] else [])]
    machine = {key: value for key, value in provenance().items() if not key.startswith(("mlflow.user", "host"))}
    load = dict(zip(("1 min", "5 min", "15 min"), os.getloadavg(), strict=True))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"command": shlex.join(words), "date": now, "load_average_before": load, "machine": machine}


def tables(content: dict) -> str:
    """All results as Markdown, and where they come from."""
    machine, load = content["machine"], content["load_average_before"]["5 min"]
    texts = [
        f"Made on {content['date'][:10]} on {machine['cores']} cores ({machine['cpu']}), torch "
        f"{machine['version.torch']}, load before {load:.1f}, commit "
        f"{machine.get('mlflow.source.git.commit', 'unknown')[:8]}, by `{content['command']}`."
    ]
    texts += [f"![{text}]({name})" for name, text in PICTURES.items() if name in drawn(content["results"])]
    for name, result in content["results"].items():
        texts.append(f"## {PARTS[name].TITLE}\n\n{PARTS[name].markdown(result)}")
    return "\n\n".join(texts) + "\n"


def with_tables(readme: str, text: str) -> str:
    """The README with its tables replaced."""
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"


def drawn(results: dict) -> dict[str, Figure]:
    """The pictures that there are results for, by file name."""
    figures = {"results.png": speed(results["training"])} if "training" in results else {}
    return {**figures, "details.png": details(results)} if results else {}


def write(content: dict, folder: Path) -> None:
    """JSON, pictures, README."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(content, indent=2) + "\n")
    for name, figure in drawn(content["results"]).items():
        figure.savefig(folder / name, dpi=120)
    readme = with_tables((FOLDER / "README.md").read_text(), tables(content))
    (folder / "README.md").write_text(readme)


def main() -> None:
    given = arguments()
    chosen = {key: getattr(given, key) for key in ("rounds", "images", "epochs") if getattr(given, key)}
    size = replace(QUICK if given.quick else Size(), **chosen)
    content = {**origin(), "size": asdict(size), "results": {}}
    for name in given.parts:
        if (result := PARTS[name].measure(size)) is not None:
            content["results"][name] = result
            write(content, given.output)  # a later part may fail
    print(tables(content))


if __name__ == "__main__":
    main()
