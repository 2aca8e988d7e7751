"""``maxexp predict CHECKPOINT PHOTO ...``: what a trained network says of photos, in the integers of the chip."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maxexp.base import this_process
from maxexp.base.errors import DataError
from maxexp.base.exit_codes import exit_code
from maxexp.cli.program import called

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog=called("predict"), description="What a trained network says of photos, prepared as its training images."
    )
    parser.add_argument("checkpoint", help="run:RUN_ID, zoo:NAME (maxexp zoo list) or a file")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="pictures, or folders of pictures")
    parser.add_argument("--top", type=int, default=3, help="classes that are shown of each (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="all scores as JSON, one object a line")
    parser.add_argument("--tracking-uri", help="tracking store of the run (default: as for python -m maxexp)")
    options = parser.parse_args(arguments)
    if options.top < 1:
        parser.error(f"--top {options.top}: must be at least 1")
    this_process.prepare()
    return exit_code("maxexp", lambda: _predict(options))


def _predict(options: argparse.Namespace) -> None:
    from maxexp.api.loading import load

    photos = [photo for path in options.photos for photo in _pictures(path)]
    model = load(options.checkpoint, tracking_uri=options.tracking_uri)
    found = [model.predict(photo) for photo in photos]
    if options.json:
        for photo, each in zip(photos, found, strict=True):
            print(json.dumps({"photo": str(photo), "scores": each.scores, "outputs": each.outputs}))
        return
    if model.integer is None:
        print("the network is not quantized yet: computed in floating point", file=sys.stderr)
    table = Table()
    table.add_column("photo", overflow="fold")
    table.add_column("prediction")
    for photo, each in zip(photos, found, strict=True):
        best = list(each.scores.items())[: options.top]
        text = ", ".join(f"{name} {100 * score:.1f} %" for name, score in best)
        table.add_row(escape(str(photo)), escape(text or repr(each)[1:-1]))
    Console().print(table)


def _pictures(path: Path) -> list[Path]:
    """The picture itself, or those of a folder and of the folders in it."""
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in PICTURES)
    if not found:
        raise DataError(f"{path}: no pictures in this folder ({', '.join(PICTURES)})")
    return found
