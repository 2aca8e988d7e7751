"""The input of an application's network, as its project says it (``input.h``), and pictures in that form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maxexp.base.bounded import read_bounded
from maxexp.base.errors import BoardError, CameraError, FormatError
from maxexp.base.picture_file import read_picture
from maxexp.camera.picture import to_pixels
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.config import Resize

FILE = "input.h"
_MOST_BYTES = 1 << 16
_FORM = re.compile(r"/\* Pictures (\d{1,5})x(\d{1,5})x(\d{1,5}), resize (\w{1,20}), mapping (\w{1,20})\. \*/")


@dataclass(frozen=True)
class InputForm:
    """How a picture becomes the network's input.

    Attributes:
        shape: channels, rows, columns.
        resize: what becomes of another aspect ratio.
        mapping: from pixels to signed numbers; None: they are not centred.
    """

    shape: tuple[int, int, int]
    resize: Resize
    mapping: InputMapping | None

    def input_of(self, path: Path) -> NDArray[np.int8]:
        """Returns the input for a picture's file, int8 (C, H, W). Raises CameraError if it cannot be read."""
        import torch

        from maxexp.data.augmentation.pixels import map_pixels

        try:
            picture = read_picture(path)
        except (OSError, FormatError) as error:
            cause = error.strerror if isinstance(error, OSError) else error
            raise CameraError(f"{path}: not a readable picture ({cause})") from error
        pixels = to_pixels(picture, self.shape, self.resize, recolor=True)
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
        signed: NDArray[np.int8] = map_pixels(torch.from_numpy(planes), self.mapping).numpy()
        return signed


def read_input_form(project: Path) -> InputForm:
    """Reads the form of the input from the folder of an application's project.

    Raises:
        BoardError: it is no such folder.
    """
    path = project / FILE
    try:
        text = read_bounded(path, _MOST_BYTES).decode("ascii", "replace")
    except (OSError, FormatError) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise BoardError(f"{path}: {cause}; give the folder that board.application=serial wrote") from error
    found = _FORM.search(text)
    if found is None:
        raise BoardError(f"{path}: does not say what the input is; write the project again")
    channels, rows, columns, resize, mapping = found.groups()
    if resize not in Resize.__members__ or mapping not in ("none", *InputMapping.__members__):
        raise BoardError(f"{path}: resize {resize} or mapping {mapping} is unknown; write the project again")
    shape = (int(channels), int(rows), int(columns))
    return InputForm(shape, Resize[resize], None if mapping == "none" else InputMapping[mapping])
