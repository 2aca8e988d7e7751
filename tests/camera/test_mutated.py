"""Mutated frames, pictures and network inputs: whatever a file or a board holds, the answer is one line."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Picture

from maxexp.base.errors import CameraError
from maxexp.camera.files import Interpretation, load
from maxexp.camera.frame import Frame
from maxexp.camera.layout import InputLayout, Order
from maxexp.camera.sampledata import write_header
from maxexp.camera.stream import StreamParser, dump, read_frames
from maxexp.chip.parts.max78000 import PART as MAX78000
from tests.fuzz import fuzz, mutated

FRAMES = [
    Frame("RGB565", 8, 6, bytes(range(96))),
    Frame("BAYER", 4, 2, bytes(8)),
    Frame("GRAYSCALE", 3, 3, b"\n*IMG* 12"),
    Frame("RGB888", 4, 2, bytes(32)),
    Frame("YUV422", 4, 2, bytes(16)),
]
STREAMS = [
    b"Ready!\r\n" + b"".join(dump(frame) + b"Done! (took 9 us)\r\n" for frame in FRAMES),
    dump(FRAMES[0]) + bytes(160) + dump(FRAMES[1]),
]
STREAM_WORDS = [b"*IMG* ", b"*IMG* RGB565 96 8 6\n", b"*IMG* BAYER 1000000000000 1000000 1000000\n", b"RGB888"]


def in_pieces(stream: bytes) -> None:
    """As a serial port brings it; every frame is looked at."""
    parser = StreamParser()
    for start in range(0, len(stream), 64):
        for event in parser.feed(stream[start : start + 64]):
            if isinstance(event, Frame):
                try_frame(event)


def try_frame(frame: Frame) -> None:
    frame.pixels()
    frame.network_input()


def recorded(stream: bytes) -> None:
    for frame in read_frames(stream):
        try_frame(frame)


def test_streams_of_the_camera():
    fuzz("camera stream, recorded", recorded, mutated(STREAMS, STREAM_WORDS), STREAMS)


def test_streams_of_the_camera_in_pieces():
    fuzz("camera stream, live", in_pieces, mutated(STREAMS, STREAM_WORDS), STREAMS)


@pytest.fixture
def file(tmp_path) -> Callable[..., Callable[[bytes], object]]:
    """``file(".npy")``: the parser of a file with that suffix, from its bytes."""

    def file(suffix: str, **how: object) -> Callable[[bytes], object]:
        path = tmp_path / f"mutated{suffix}"

        def parse(data: bytes) -> object:
            path.write_bytes(data)
            return load(path, Interpretation(MAX78000, **how))

        return parse

    return file


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_arrays(file):
    arrays = [npy(np.zeros((3, 8, 8), np.int64)), npy(np.asfortranarray(np.ones((2, 3, 4), np.int8)))]
    words = [
        b"'descr': ",
        b"'<f8'",
        b"'|O'",
        b"'shape': ",
        b"(3, 8, 8)",
        b"(1000000000, 1000000000)",
        b"True",
        b"\x93NUMPY",
    ]
    fuzz(".npy", file(".npy"), mutated(arrays, words), arrays)


def test_headers(file):
    signed = np.arange(3 * 4 * 4, dtype=np.int8).reshape(3, 4, 4)
    headers = [write_header(signed, InputLayout.usual((3, 4, 4), order, MAX78000)).encode() for order in Order]
    words = [b"#define SAMPLE_INPUT_0 { 1 }", b"0x", b"012", b",", b"3x4x4 HWC, processors 0x7", b"\\\n"]
    fuzz("sampledata.h", file(".h"), mutated(headers, words), headers)
    fuzz("sampledata.h, shape given", file(".h", shape=(3, 4, 4)), mutated(headers, words))


@pytest.mark.parametrize("shape", ["0x4x4", "3x0x4", "3x4x0"])
def test_an_input_without_pixels_is_refused(file, shape):
    with pytest.raises(CameraError, match=f"{shape} HWC: an input without pixels"):
        file(".h")(f"// Network input, {shape} HWC, processors 0x7\n#define SAMPLE_INPUT_0 {{ 1 }}".encode())


def test_dumps(file):
    dumps = [dump(frame) for frame in FRAMES]
    fuzz("frame dump", file(".img"), mutated(dumps, STREAM_WORDS), dumps)


def test_raw_dumps(file):
    raw = [bytes(96)]
    fuzz("raw frame dump", file(".bin", pixel_format="RGB565", size=(8, 6)), mutated(raw), raw)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_pictures(file, kind):
    pictures = []
    for size in ((4, 4), (16, 12)):
        stream = io.BytesIO()
        Picture.effect_noise(size, 64).convert("RGB").save(stream, kind)
        pictures.append(stream.getvalue())
    fuzz(f"picture, {kind}", file(f".{kind.lower()}"), mutated(pictures), pictures)
