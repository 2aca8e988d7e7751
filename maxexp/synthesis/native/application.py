"""Firmware that is no test: it gets inputs from somewhere, and says what the network makes of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maxexp import __version__
from maxexp.chip.memory.placement import MemoryMap
from maxexp.chip.part import Part
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.config import DatasetConfig, Resize
from maxexp.network.graph import Network
from maxexp.network.sizes import dimensions
from maxexp.synthesis.native.c_text import plain
from maxexp.synthesis.native.configuration import configuration
from maxexp.synthesis.native.headers import header, input_places, network_headers
from maxexp.synthesis.native.project import FILES, check_flash, write_files

if TYPE_CHECKING:
    from maxexp.synthesis.synthesis import Synthesis

SHARED = Path(__file__).parent / "applications" / "shared_files"
TEST_ONLY = ("main.c", "README.md")
"""Files of the known-answer test's project that each application has its own of."""
_NUMBERS = {
    InputMapping.p128: "pixel - 128",
    InputMapping.ai8x: "pixel < 128 ? pixel - 128 : pixel == 255 ? 127 : pixel - 127",
    None: "pixel >> 1",
}
"""C of :func:`maxexp.data.augmentation.pixels.map_pixels`."""


@dataclass(frozen=True)
class Pictures:
    """How training made the network's input of a picture.

    Attributes:
        resize: what becomes of another aspect ratio.
        mapping: from pixels to signed numbers; None: they are not centred.
    """

    resize: Resize
    mapping: InputMapping | None


class Shown(NamedTuple):
    """An image on its way to an application.

    Attributes:
        sent: the bytes for the serial line.
        seen: int8 (C, H, W), what the network gets of it.
    """

    sent: bytes
    seen: NDArray[np.int8]


class Application(ABC):
    """One application.

    Attributes:
        files: folder of its C files and its ``README.md``, a template.
        ready: what it says on the serial line when it takes inputs.
        sees_by_itself: whether a real board gets inputs from its own sensors.
    """

    files: Path
    ready: str
    sees_by_itself: bool

    @abstractmethod
    def refusal(self, network: Network) -> str | None:
        """Returns why a network cannot have this application; None where it can."""

    @abstractmethod
    def show(
        self, image: NDArray[np.uint8], dataset: DatasetConfig, mapping: InputMapping | None, part: Part
    ) -> Shown:
        """Returns how an image, uint8 (C, H, W), is shown over the serial line.

        Args:
            dataset: its shape, and what becomes of pictures of another one.
            mapping: as in :class:`Pictures`.
        """

    def headers(self, memory: MemoryMap, pictures: Pictures) -> dict[str, str]:
        """Returns the text of each header of its own by file name, ``input.h`` among them."""
        return {"input.h": header("input.h", f"{plain(memory.network.name)}: input", _input(memory, pictures))}


def write_application(
    name: str, application: Application, synthesis: Synthesis, classes: list[str] | None, pictures: Pictures
) -> Path:
    """Writes the project of an application beside that of the known-answer test.

    Args:
        name: of the application.
        synthesis: by our own synthesizer.
        classes: names of the outputs; None where they are no scores of classes.

    Returns:
        Its folder.

    Raises:
        SynthesisError: the project does not fit the flash, or cannot be written.
    """
    cost, integer = synthesis.cost, synthesis.integer
    memory = cost.fit.memory
    x = configuration(memory, integer.layers)
    check_flash(x, sample_bytes=0)
    values = {"name": plain(integer.network.name), "version": __version__}
    readme = Template((application.files / "README.md").read_text(encoding="ascii")).substitute(values)
    texts = {
        **network_headers(x, integer.output_exponent, classes),
        **application.headers(memory, pictures),
        "README.md": readme,
    }
    folder = synthesis.project.with_name(f"{synthesis.project.name}_{name}")
    sources = [path for path in FILES.iterdir() if path.name not in TEST_ONLY]
    write_files(folder, [*sources, *SHARED.iterdir(), *application.files.iterdir()], texts)
    return folder


def _input(memory: MemoryMap, pictures: Pictures) -> str:
    """Returns sizes, places and numbers of the input; the comment is what ``maxexp.board classify`` reads."""
    channels, rows, columns = memory.network.in_shape
    words = rows * columns * memory.part.processors.passes(channels)
    places = input_places(memory)
    arrays = " ".join(f"ARRAY(0x{address:08x}, {words})" for _, address in places)
    mapping = "none" if pictures.mapping is None else pictures.mapping.name
    values = {
        "INPUT_CHANNELS": channels,
        "INPUT_ROWS": rows,
        "INPUT_COLUMNS": columns,
        "INPUT_ADDRESS": f"0x{places[0][1]:08x}",
    }
    return (
        f"/* Pictures {dimensions((channels, rows, columns))}, resize {pictures.resize.name}, mapping {mapping}. */\n"
        "#include <stdint.h>\n\n"
        + "".join(f"#define {key} {value}\n" for key, value in values.items())
        + "\n/* Address and number of words in each data memory that the input is in. */\n"
        + f"#define INPUT_ARRAYS(ARRAY) {arrays}\n\n"
        + "/* What the network reads for a pixel. */\n"
        + f"static inline int8_t input_number(uint8_t pixel) {{ return {_NUMBERS[pictures.mapping]}; }}\n"
    )
