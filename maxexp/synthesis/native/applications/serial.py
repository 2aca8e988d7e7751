"""Inputs over the serial line: for boards without a camera, and for tests of what a board does."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maxexp.chip.input_words import input_words
from maxexp.chip.part import Part
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.config import DatasetConfig
from maxexp.network.graph import Network
from maxexp.synthesis.native.application import Application, Shown

REQUEST = b"ICNN"
"""Begin of a request."""


class SerialApplication(Application):
    """Takes any network."""

    files = Path(__file__).parent / "serial_files"
    ready = "ready for inputs"
    sees_by_itself = False

    def refusal(self, network: Network) -> str | None:
        return None

    def show(
        self, image: NDArray[np.uint8], dataset: DatasetConfig, mapping: InputMapping | None, part: Part
    ) -> Shown:
        # Only here: torch is not needed to write the project.
        import torch

        from maxexp.data.augmentation.pixels import map_pixels

        seen = map_pixels(torch.from_numpy(image), mapping).numpy()
        return Shown(request(seen, part), seen)


def request(signed: NDArray[np.int8], part: Part) -> bytes:
    """Returns the bytes that ask for an input, int8 (C, H, W): ``serial_files/README.md`` describes them."""
    words = np.concatenate(list(input_words(signed, range(part.processors.used(len(signed))), part).values()))
    total = int(words.sum(dtype=np.uint64)) & 0xFFFFFFFF
    return REQUEST + words.astype("<u4").tobytes() + struct.pack("<I", total)


APPLICATION = SerialApplication()
