"""Files with images: pictures, frame dumps, ``.npy`` and ``sampledata.h``, told apart by their suffix."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from maxexp.base.array_file import read_array
from maxexp.base.bounded import read_bounded
from maxexp.base.errors import CameraError, FormatError
from maxexp.base.picture_file import read_picture
from maxexp.camera.frame import MAX_FRAME_BYTES, Frame
from maxexp.camera.layout import InputLayout, Order
from maxexp.camera.picture import to_picture, to_pixels
from maxexp.camera.sampledata import read_arrays, write_header
from maxexp.camera.signed import to_pixels as signed_to_pixels
from maxexp.camera.signed import to_signed
from maxexp.camera.stream import START, dump, read_frames
from maxexp.chip.part import Part
from maxexp.data.config import Resize

MAX_FILE_BYTES = 4 * MAX_FRAME_BYTES
"""Of frame dumps and headers."""
PICTURES = (".png", ".jpg", ".jpeg", ".bmp")

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Interpretation:
    """What a file does not say of itself, and what may be done to a picture; None where it is not known.

    Attributes:
        part: the chip that the network is for.
        pixel_format: of a frame dump; goes before what its header says.
        size: width and height of a frame dump without header.
        shape: channels, rows and columns of the network's input.
        order, processors: how the words of a sampledata.h lie.
        resize, recolor: see :func:`maxexp.camera.picture.to_pixels`.
    """

    part: Part
    pixel_format: str | None = None
    size: tuple[int, int] | None = None
    shape: Shape | None = None
    order: Order = Order.HWC
    processors: int | None = None
    resize: Resize | None = None
    recolor: bool = False

    def __post_init__(self) -> None:
        if self.resize and self.shape is None:
            raise CameraError("--resize needs to know the size: give the network's --shape CxHxW")

    def layout(self, shape: Shape) -> InputLayout:
        """The layout of an input of this shape."""
        if self.processors is None:
            return InputLayout.usual(shape, self.order, self.part)
        return InputLayout(shape, self.order, self.processors, self.part)


@dataclass(frozen=True)
class Image:
    """What a file holds, to look at and to feed a network with.

    Attributes:
        name: the file's.
        kind: what it was, for labels.
        pixels: uint8 (H, W, C).
        signed: the network's input, int8 (C, H, W); None for frames that no firmware of the maker feeds to one.
    """

    name: str
    kind: str
    pixels: np.ndarray
    signed: np.ndarray | None

    @classmethod
    def of_input(cls, name: str, signed: np.ndarray) -> Image:
        """The image of a network's input: int8 (C, H, W)."""
        return cls(name, f"input {_text(signed.shape)}", signed_to_pixels(signed).transpose(1, 2, 0), signed)


def load(path: Path, how: Interpretation) -> Image:
    """Reads one file.

    Raises:
        CameraError: it is missing, or not what it should be; the message names it.
    """
    with _named(path):
        if path.suffix.lower() in PICTURES:
            return _load_picture(path, how)
        return {".npy": _load_array, ".h": _load_header}.get(path.suffix, _load_frame)(path, how)


def save(image: Image, path: Path, how: Interpretation) -> None:
    """Writes one file: ``.png``, ``.npy``, ``.h``, or with the suffix ``.img`` a frame dump with its header.

    Raises:
        CameraError: it cannot be written, or the image cannot be that.
    """
    with _named(path):
        if path.suffix == ".png":
            to_picture(image.pixels).save(path, "PNG")
        elif path.suffix == ".npy":
            # int64, for ai8xize.py refuses a --sample-input of any other type (ai8x-synthesis, izer/sampledata.py).
            np.save(path, _network_input(image).astype(np.int64), allow_pickle=False)
        elif path.suffix == ".h":
            signed = _network_input(image)
            path.write_text(write_header(signed, how.layout(signed.shape)))
        elif path.suffix == ".img":
            path.write_bytes(dump(_frame(image, how)))
        else:
            raise CameraError(f"unknown suffix {path.suffix or '(none)'}: write to .png, .npy, .h or .img")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Errors within name the file."""
    try:
        yield
    except (CameraError, FormatError, OSError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise CameraError(f"{path}: {cause}") from error


def _load_picture(path: Path, how: Interpretation) -> Image:
    try:
        picture = read_picture(path)
    except FormatError as error:
        raise CameraError(f"not a readable picture ({error})") from error
    pixels = to_pixels(picture, how.shape, how.resize, how.recolor)
    signed = np.ascontiguousarray(to_signed(pixels).transpose(2, 0, 1))
    return Image(path.name, f"{picture.mode} {picture.width}x{picture.height}", pixels, signed)


def _load_array(path: Path, how: Interpretation) -> Image:
    if zipfile.is_zipfile(path):
        raise CameraError("an archive of arrays: save the one array with numpy.save")
    values = read_array(path)
    if values.dtype.kind not in "iu":
        raise CameraError(f"holds {values.dtype} and not integers: multiply a network's input in -1..1 by 128, round")
    if values.ndim != 3:
        raise CameraError(f"has {values.ndim} dimensions and not channels x rows x columns")
    _expect(values.shape, how)
    if values.size == 0 or values.min() < -128 or values.max() > 127:
        extremes = f"{values.min()} to {values.max()}" if values.size else "nothing"
        raise CameraError(f"holds {extremes}, and a network's input -128 to 127: subtract 128 from pixels")
    return Image.of_input(path.name, values.astype(np.int8))


def _load_header(path: Path, how: Interpretation) -> Image:
    text = read_bounded(path, MAX_FILE_BYTES).decode("ascii", errors="replace")
    arrays = read_arrays(text)
    layout = InputLayout.parse(text, how.part) or (how.layout(how.shape) if how.shape else None)
    if layout is None:
        words = ", ".join(str(len(array)) for array in arrays.values())
        raise CameraError(
            f"does not say its shape (the maker's never do; it has {len(arrays)} arrays with {words} words): "
            "give --shape CxHxW, and --order CHW if it is that"
        )
    _expect(layout.shape, how)
    return Image.of_input(path.name, layout.unpack(arrays))


def _load_frame(path: Path, how: Interpretation) -> Image:
    data = read_bounded(path, MAX_FILE_BYTES)
    if data.startswith(START):
        frames = list(read_frames(data))
        if len(frames) > 1:
            raise CameraError(f"holds {len(frames)} frames: take it apart with 'capture --file {path} --out FOLDER'")
        frame = replace(frames[0], pixel_format=how.pixel_format or frames[0].pixel_format)
    elif how.pixel_format is None or how.size is None:
        raise CameraError("taken for a frame dump, and it does not say its format: give --format and --size WxH")
    else:
        frame = Frame(how.pixel_format, *how.size, data)
    if how.shape not in (None, (3, frame.height, frame.width)):
        raise CameraError(
            f"a frame of {frame.width}x{frame.height} pixels is not {_text(how.shape)}, and frames go to the network "
            "as they are: capture with that --size, or write a .png and convert that with --resize"
        )
    kind = f"{frame.pixel_format} {frame.width}x{frame.height}"
    return Image(path.name, kind, frame.pixels(), frame.network_input())


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _expect(shape: tuple[int, ...], how: Interpretation) -> None:
    if how.shape not in (None, shape):
        raise CameraError(f"is a network input of {_text(shape)}, and --shape asks for {_text(how.shape)}")


def _network_input(image: Image) -> np.ndarray:
    if image.signed is None:
        raise CameraError(
            f"the maker's firmware feeds no network with {image.kind} frames: write a .png and convert that"
        )
    return image.signed


def _frame(image: Image, how: Interpretation) -> Frame:
    if image.pixels.shape[2] != 3:
        raise CameraError(f"frames have three colours, and {image.name} has {image.pixels.shape[2]} channels")
    if how.pixel_format is None:
        raise CameraError("give the --format of the frame to write")
    return Frame.encode(image.pixels, how.pixel_format)
