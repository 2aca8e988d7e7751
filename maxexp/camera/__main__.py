"""The camera's command: ``python -m maxexp.camera convert|sheet|capture``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from maxexp.camera.files import Image, Interpretation, load, save
from maxexp.camera.frame import FORMATS, Frame
from maxexp.camera.layout import Order
from maxexp.camera.sheet import draw_sheet
from maxexp.camera.stream import dump, read_frames
from maxexp.errors import CameraError, MaxexpError

PROGRAM = "python -m maxexp.camera"

DESCRIPTION = """Pictures between camera, network and PC, byte for byte.

Files are told apart by their suffix:
  .png .jpg .bmp  a picture (written: .png only)
  .npy            the network's input, integers -128..127, channels x rows x columns, as ai8xize.py takes it
  .h              the network's input as C header: sampledata.h
  .img            a frame dump behind its header line, as the maker's ImgCapture example sends and stores it
  any other       a frame dump without header (reading: --format and --size say what it is)

A picture becomes the network's input as p xor 0x80, that is p - 128. A dump becomes it exactly as the
maker's firmware does it, which for RGB565 keeps the upper bits and does not stretch them as a PNG does."""

CONVERT = f"""examples:
  {PROGRAM} convert photo.png sampledata.h --shape 3x32x32 --resize
  {PROGRAM} convert frame.bin input.npy --format RGB565 --size 64x64
  {PROGRAM} convert sampledata.h sample.png --shape 3x32x32
  {PROGRAM} convert photo.png frame.img --format RGB565"""

SHEET = f"""examples:
  {PROGRAM} sheet frames/*.png --out sheet.png
  {PROGRAM} sheet photo.png sampledata.h frame.img --out sheet.png --columns 3"""

CAPTURE = f"""The board runs the maker's ImgCapture example (msdk, Examples/MAX78000/ImgCapture). Each frame is kept
as frame000.img and, to look at, as frame000.png; numbers go on where the folder has some.

examples:
  {PROGRAM} capture --port /dev/ttyACM0 --out frames --size 64x64 --frames 5
  {PROGRAM} capture --file recorded.bin --out frames"""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; an error of the user is one line and exit code 1."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except MaxexpError as error:
        print(f"{PROGRAM}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def convert(options: argparse.Namespace) -> None:
    """One file to another."""
    how = _interpretation(options)
    image = load(options.source, how)
    save(image, options.target, how)
    print(f"{options.target}: from {image.name}, {image.kind}")


def sheet(options: argparse.Namespace) -> None:
    """Several files to one labelled picture."""
    how = _interpretation(options)
    images = [load(path, how) for path in options.sources]
    labels = [(image.name, image.kind) for image in images]
    pixels = draw_sheet([image.pixels for image in images], labels, options.columns, options.side)
    save(Image(options.out.name, "sheet", pixels, None), options.out, how)
    print(f"{options.out}: {len(images)} images")


def capture(options: argparse.Namespace) -> None:
    """Frames from a board or a recorded stream to files."""
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        paths = _free_paths(options.out)
        for frame in _recorded(options.file) if options.file else _live(options):
            frame = replace(frame, pixel_format=options.format or frame.pixel_format)
            path = next(paths)
            # First of all the bytes: what they should be can still be found out later.
            path.write_bytes(dump(frame))
            print(f"{path}: {frame.pixel_format} {frame.width}x{frame.height}", flush=True)
            save(load(path, Interpretation()), path.with_suffix(".png"), Interpretation())
    except OSError as error:
        raise CameraError(f"{error.filename}: {error.strerror}") from error


def _free_paths(folder: Path) -> Iterator[Path]:
    """Names for frames, behind those that the folder has."""
    taken = [int(match[1]) for path in folder.iterdir() if (match := re.match(r"frame(\d+)\.", path.name))]
    return (folder / f"frame{number:03d}.img" for number in count(max(taken, default=-1) + 1))


def _recorded(path: Path) -> Iterator[Frame]:
    try:
        yield from read_frames(path.read_bytes())
    except CameraError as error:
        raise CameraError(f"{path}: {error}") from error


def _live(options: argparse.Namespace) -> Iterator[Frame]:
    # Only here, for pyserial takes longer to load than all the rest of a conversion.
    from maxexp.camera.console import CaptureConsole, open_port

    with open_port(options.port, options.baud_rate) as port:
        console = CaptureConsole(port, options.timeout)
        console.connect()
        if options.size:
            console.set_size(*options.size)
        for _ in range(options.frames):
            yield console.capture(options.command)


def _interpretation(options: argparse.Namespace) -> Interpretation:
    return Interpretation(
        options.format,
        options.size,
        options.shape,
        options.order,
        options.processors,
        options.resize,
        options.recolor,
    )


def _numbers(text: str, form: str) -> tuple[int, ...]:
    numbers = re.fullmatch("x".join([r"(\d+)"] * len(form.split("x"))), text)
    if numbers is None or "0" in (values := numbers.groups()):
        raise argparse.ArgumentTypeError(f"{text!r} is not {form}, numbers above 0")
    return tuple(int(value) for value in values)


def _size(text: str) -> tuple[int, ...]:
    return _numbers(text, "WIDTHxHEIGHT")


def _shape(text: str) -> tuple[int, ...]:
    return _numbers(text, "CHANNELSxROWSxCOLUMNS")


def _mask(text: str) -> int:
    try:
        mask = int(text, 0)
    except ValueError:
        mask = 0
    if not 0 < mask < 1 << 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a mask of 64 processors such as 0x7")
    return mask


def _positive(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return float(text)


def _parser() -> argparse.ArgumentParser:
    def command(name: str, run, summary: str, epilog: str, parents: list[argparse.ArgumentParser]):
        parser = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=epilog,
            parents=parents,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(run=run)
        return parser

    parser = argparse.ArgumentParser(
        prog=PROGRAM, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    dump_options, input_options = _dump_options(), _input_options()

    convert_parser = command(
        "convert", convert, "convert one file to another", CONVERT, [dump_options, input_options]
    )
    convert_parser.add_argument("source", type=Path, help="file to read")
    convert_parser.add_argument("target", type=Path, help="file to write: .png, .npy, .h or .img")

    sheet_parser = command(
        "sheet", sheet, "put several files on one picture, with labels", SHEET, [dump_options, input_options]
    )
    sheet_parser.add_argument("sources", type=Path, nargs="+", metavar="source", help="files to read")
    sheet_parser.add_argument("--out", type=Path, required=True, help="picture to write, .png")
    sheet_parser.add_argument("--columns", type=_positive, metavar="N", help="images in a row (default: square)")
    sheet_parser.add_argument(
        "--side", type=_positive, default=192, metavar="PIXELS", help="enlarge small images up to this (default: 192)"
    )

    capture_parser = command(
        "capture", capture, "take frames from a board or out of a recorded stream", CAPTURE, [dump_options]
    )
    origin = capture_parser.add_mutually_exclusive_group(required=True)
    origin.add_argument("--port", help="serial port of the board, such as /dev/ttyACM0 or COM8")
    origin.add_argument("--file", type=Path, help="what was recorded from such a port, or a file of the SD card")
    capture_parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder to write to")
    capture_parser.add_argument("--frames", type=_positive, default=1, metavar="N", help="how many (default: 1)")
    capture_parser.add_argument(
        "--command",
        choices=("capture", "stream"),
        default="capture",
        help="the example's command; stream is for frames too large for its memory (default: capture)",
    )
    capture_parser.add_argument(
        "--timeout", type=_seconds, default=5.0, metavar="SECONDS", help="patience with the board (default: 5)"
    )
    capture_parser.add_argument(
        "--baud-rate", type=_positive, default=921600, metavar="N", help="of the port (default: 921600)"
    )
    return parser


def _dump_options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("frame dumps")
    group.add_argument(
        "--format",
        type=str.upper,
        choices=FORMATS,
        help="pixel format, also where a header says another; RGB888 has 3 or 4 bytes per pixel, BAYER is BGGR",
    )
    group.add_argument("--size", type=_size, metavar="WxH", help="width and height in pixels")
    return parser


def _input_options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("network input")
    group.add_argument(
        "--shape", type=_shape, metavar="CxHxW", help="channels, rows and columns of the network's input"
    )
    group.add_argument(
        "--order",
        type=lambda text: Order(text.upper()),
        choices=tuple(Order),
        default=Order.HWC,
        help="how sampledata.h packs numbers into words (default: HWC)",
    )
    group.add_argument(
        "--processors",
        type=_mask,
        metavar="MASK",
        help="the first layer's processors, such as 0x7, where they are not the lowest",
    )
    group.add_argument(
        "--resize", action="store_true", help="cut a picture around its centre and resize it to --shape"
    )
    group.add_argument("--recolor", action="store_true", help="gray to colour, colour to gray, drop transparency")
    return parser


if __name__ == "__main__":
    sys.exit(main())
