"""The camera's command: ``python -m maxexp.camera convert|sheet|capture``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from maxexp.base.errors import CameraError
from maxexp.base.exit_codes import exit_code
from maxexp.camera.files import Image, Interpretation, load, save
from maxexp.camera.frame import Frame
from maxexp.camera.layout import Order
from maxexp.camera.options import DEVICE, PROGRAM, parser
from maxexp.camera.sheet import draw_sheet
from maxexp.camera.stream import dump, read_frames
from maxexp.chip.config import find_part
from maxexp.cli.program import called
from maxexp.data.config import Resize

PIECE = 1 << 20
"""Bytes of a recorded stream, which may be longer than memory, that are read at a time."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; the exit code says how it went."""
    options = parser(called("camera")).parse_args(arguments)
    commands = {"convert": convert, "sheet": sheet, "capture": capture}
    return exit_code(PROGRAM, lambda: commands[options.command](options))


def convert(options: argparse.Namespace) -> None:
    """One file to another."""
    resize = Resize[options.resize] if options.resize else None
    how = replace(_interpretation(options), resize=resize, recolor=options.recolor)
    image = load(options.source, how)
    save(image, options.target, how)
    print(f"{options.target}: from {image.name}, {image.kind}")


def sheet(options: argparse.Namespace) -> None:
    """Several files to one labelled picture."""
    how = _interpretation(options)
    # All but headers say their shape themselves, and all are shown as they are.
    shown = replace(how, shape=None, recolor=True)
    images = [load(path, how if path.suffix == ".h" else shown) for path in options.sources]
    labels = [(image.name, image.kind) for image in images]
    pixels = draw_sheet([image.pixels for image in images], labels, options.columns, options.side)
    save(Image(options.out.name, "sheet", pixels, None), options.out, how)
    print(f"{options.out}: {len(images)} images")


def capture(options: argparse.Namespace) -> None:
    """Frames from a board or a recorded stream to files."""
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        paths = _free_paths(options.out)
        wrong = []
        for frame in _recorded(options.file) if options.file else _live(options):
            try:
                _keep(replace(frame, pixel_format=options.format or frame.pixel_format), next(paths))
            except CameraError as error:
                wrong.append(error)
    except OSError as error:
        raise CameraError(f"{error.filename or options.out}: {error.strerror}") from error
    if wrong:
        others = f" (and {len(wrong) - 1} more of the frames cannot be looked at)" if len(wrong) > 1 else ""
        raise CameraError(f"{wrong[0]}{others}")


def _keep(frame: Frame, path: Path) -> None:
    """Writes a frame and the picture to look at."""
    # First of all the bytes: what they should be can still be found out later.
    path.write_bytes(dump(frame))
    print(f"{path}: {frame.pixel_format} {frame.width}x{frame.height}", flush=True)
    how = Interpretation(find_part(DEVICE))
    save(load(path, how), path.with_suffix(".png"), how)


def _free_paths(folder: Path) -> Iterator[Path]:
    """Returns the names for frames, behind those that the folder has."""
    taken = [int(match[1]) for path in folder.iterdir() if (match := re.match(r"frame(\d+)\.", path.name))]
    return (folder / f"frame{number:03d}.img" for number in count(max(taken, default=-1) + 1))


def _recorded(path: Path) -> Iterator[Frame]:
    try:
        with path.open("rb") as file:
            yield from read_frames(iter(lambda: file.read(PIECE), b""))
    except CameraError as error:
        raise CameraError(f"{path}: {error}") from error


def _live(options: argparse.Namespace) -> Iterator[Frame]:
    # Only here: nothing else needs pyserial.
    from maxexp.camera.console import CaptureConsole, open_port

    with open_port(options.port, options.baud_rate) as port:
        console = CaptureConsole(port, options.timeout)
        console.connect()
        if options.size:
            console.set_size(*options.size)
        for _ in range(options.frames):
            yield console.capture("stream" if options.stream else "capture")


def _interpretation(options: argparse.Namespace) -> Interpretation:
    return Interpretation(
        find_part(options.device),
        options.format,
        options.size,
        options.shape,
        Order(options.order),
        options.processors,
    )
