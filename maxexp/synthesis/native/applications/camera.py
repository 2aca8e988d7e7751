"""Pictures of the board's camera, made smaller by the firmware exactly as :mod:`maxexp.camera` does it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maxexp.chip.memory.placement import MemoryMap
from maxexp.chip.part import Part
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.config import DatasetConfig, Resize
from maxexp.data.store.decode import cut_around_centre, image_pixels
from maxexp.network.graph import Network
from maxexp.network.sizes import Shape, dimensions
from maxexp.synthesis.native.application import Application, Pictures, Shown
from maxexp.synthesis.native.c_text import c_numbers
from maxexp.synthesis.native.headers import header
from maxexp.synthesis.native.resample import Span, spans

FRAMES = ((160, 120), (320, 240))
"""Columns and rows that the camera can deliver of its whole picture: a quarter and half of its own 640x480."""
COLOURS = (1, 3)
MOST_LINES = 48 * 1024
"""Bytes of memory for the lines of a picture, of the 128 KiB of RAM."""


class CameraApplication(Application):
    """Takes networks of pictures that the camera is large enough for."""

    files = Path(__file__).parent / "camera_files"
    ready = "camera ready"
    sees_by_itself = True

    def refusal(self, network: Network) -> str | None:
        channels, rows, columns = network.in_shape
        if channels not in COLOURS or min(rows, columns) == 1:
            return (
                f"the network's input is {dimensions(network.in_shape)}, and pictures of the camera have 3 channels, "
                "or 1 of gray; choose board.application=serial"
            )
        frame = frame_size(network.in_shape)
        if frame is None or frame[1] * columns * channels > MOST_LINES:
            return (
                f"the network's input is {dimensions(network.in_shape)}, too large for the RAM that is left beside "
                "the camera's lines; choose board.application=serial, or a smaller dataset.height and dataset.width"
            )
        return None

    def show(
        self, image: NDArray[np.uint8], dataset: DatasetConfig, mapping: InputMapping | None, part: Part
    ) -> Shown:
        """Returns a recorded frame that the image fills, for the camera's stand-in on the emulated board."""
        # Only here: torch is not needed to write the project.
        import torch

        from maxexp.data.augmentation.pixels import map_pixels

        size = frame_size(dataset.shape)
        assert size is not None, "refused before"
        picture = Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
        frame = picture.convert("RGB").resize(size, Image.Resampling.NEAREST)
        pixels = image_pixels(frame, "the frame", dataset, resize=True)
        seen = map_pixels(torch.from_numpy(np.array(pixels, order="C")), mapping).numpy()
        return Shown(np.asarray(frame).tobytes(), seen)

    def headers(self, memory: MemoryMap, pictures: Pictures) -> dict[str, str]:
        name, title = "resample.h", "from the camera's frame to the network's input, in units of 2^-22"
        text = _resample(memory.network, pictures.resize)
        return {**super().headers(memory, pictures), name: header(name, title, text)}


def frame_size(shape: Shape) -> tuple[int, int] | None:
    """Returns columns and rows of the smallest frame that has the pixels of an input; None if there is none."""
    _, rows, columns = shape
    return next((frame for frame in FRAMES if frame[0] >= columns and frame[1] >= rows), None)


def _resample(network: Network, resize: Resize) -> str:
    _, rows, columns = network.in_shape
    frame = frame_size(network.in_shape)
    assert frame is not None, "refused before"
    left, top, width, height = 0, 0, *frame
    if resize is Resize.crop:
        width, height = cut_around_centre(Image.new("L", frame), columns / rows).size
        left, top = (frame[0] - width) // 2, (frame[1] - height) // 2
    values = {
        "FRAME_COLUMNS": frame[0],
        "FRAME_ROWS": frame[1],
        "CUT_LEFT": left,
        "CUT_TOP": top,
        "CUT_ROWS": height,
    }
    return (
        "#include <stdint.h>\n\n"
        + "".join(f"#define {key} {value}\n" for key, value in values.items())
        + "\n/* Pixels of the cut that one pixel of the input is the weighted mean of. */\n"
        + "typedef struct {\n  uint16_t first, count;\n} span_t;\n"
        + _table("column", spans(width, columns))
        + _table("row", spans(height, rows))
    )


def _table(name: str, spans: list[Span]) -> str:
    pairs = ", ".join(f"{{{span.first}, {len(span.weights)}}}" for span in spans)
    weights = c_numbers([weight for span in spans for weight in span.weights], 6)
    return (
        f"\nstatic const span_t {name}_spans[] = {{{pairs}}};\n"
        f"static const uint32_t {name}_weights[] = {{\n{weights}}};\n"
    )


APPLICATION = CameraApplication()
