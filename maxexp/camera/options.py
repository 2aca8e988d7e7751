"""Options of the camera's command line, and its help."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from maxexp.camera.frame import FORMATS
from maxexp.camera.layout import Order
from maxexp.chip.config import known_parts
from maxexp.data.config import DatasetConfig, Resize

PROGRAM = "python -m maxexp.camera"
DEVICE = "max78000"

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
  {PROGRAM} sheet photo.png sampledata.h frame.img --out sheet.png --shape 3x32x32 --columns 3"""

CAPTURE = f"""The board runs the maker's ImgCapture example (msdk, Examples/MAX78000/ImgCapture). Each frame is kept
as frame000.img and, to look at, as frame000.png; numbers go on where the folder has some.

examples:
  {PROGRAM} capture --port /dev/ttyACM0 --out frames --size 64x64 --frames 5
  {PROGRAM} capture --file recorded.bin --out frames"""


def parser(program: str = PROGRAM) -> argparse.ArgumentParser:
    """The parser of all commands; `command` is the one chosen.

    Args:
        program: what the user called.
    """
    parser = argparse.ArgumentParser(
        prog=program, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary, epilog, add_options in (
        ("convert", "convert one file to another", CONVERT, _add_convert),
        ("sheet", "put several files on one picture, with labels", SHEET, _add_sheet),
        ("capture", "take frames from a board or out of a recorded stream", CAPTURE, _add_capture),
    ):
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_options(command)
    return parser


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="file to read")
    parser.add_argument("target", type=Path, help="file to write: .png, .npy, .h or .img")
    _add_dump(parser)
    _add_input(parser)
    group = parser.add_argument_group("pictures")
    group.add_argument(
        "--resize",
        nargs="?",
        choices=[each.name for each in Resize],
        const=DatasetConfig.resize.name,
        help="to the size of --shape: squash keeps all of the picture, crop cuts around the centre to its aspect "
        "ratio (without a value: %(const)s, as training does it); give the value of the training's dataset.resize",
    )
    group.add_argument("--recolor", action="store_true", help="gray to colour, colour to gray, transparent to white")


def _add_sheet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", type=Path, nargs="+", metavar="source", help="files to read")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="picture to write, .png")
    parser.add_argument("--columns", type=_positive, metavar="N", help="images in a row (default: square)")
    parser.add_argument(
        "--side", type=_positive, default=192, metavar="PIXELS", help="enlarge small images up to this (default: 192)"
    )
    _add_dump(parser)
    _add_input(parser)


def _add_capture(parser: argparse.ArgumentParser) -> None:
    origin = parser.add_mutually_exclusive_group(required=True)
    origin.add_argument("--port", help="serial port of the board, such as /dev/ttyACM0 or COM8")
    origin.add_argument("--file", type=Path, help="what was recorded from such a port, or a file of the SD card")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder to write to")
    _add_dump(parser)
    group = parser.add_argument_group("board")
    group.add_argument("--frames", type=_positive, default=1, metavar="N", help="how many (default: 1)")
    group.add_argument(
        "--stream", action="store_true", help="take them row by row: for frames too large for the board's memory"
    )
    group.add_argument(
        "--timeout", type=_seconds, default=5.0, metavar="SECONDS", help="patience with the board (default: 5)"
    )
    group.add_argument(
        "--baud-rate", type=_positive, default=921600, metavar="N", help="of the port (default: 921600)"
    )


def _add_dump(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("frames")
    group.add_argument(
        "--format",
        type=str.upper,
        choices=FORMATS,
        metavar="FORMAT",
        help=f"{', '.join(FORMATS)}; goes before a header's. RGB888 has 3 or 4 bytes per pixel, BAYER is BGGR",
    )
    group.add_argument("--size", type=_size, metavar="WxH", help="width and height in pixels")


def _add_input(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("network input")
    group.add_argument("--shape", type=_shape, metavar="CxHxW", help="channels, rows and columns")
    group.add_argument(
        "--order",
        type=str.upper,
        choices=tuple(Order),
        default=Order.HWC,
        metavar="ORDER",
        help="how a .h packs numbers into words: HWC (default) or CHW",
    )
    group.add_argument(
        "--processors",
        type=_mask,
        metavar="MASK",
        help="the first layer's processors, such as 0x7, where they are not the lowest",
    )
    group.add_argument("--device", choices=tuple(known_parts()), default=DEVICE, help=f"the chip (default: {DEVICE})")


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
    if mask <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a mask of processors such as 0x7")
    return mask


def _positive(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return float(text)
