"""The application on a board: it is started, and tried as far as that board can."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from maxexp.base.errors import BoardError
from maxexp.board.application import READY, class_of, request, wait_for, wait_for_result
from maxexp.board.board import Board
from maxexp.board.config import Application, BoardKind
from maxexp.board.inference import Line
from maxexp.camera.picture import to_picture, to_pixels
from maxexp.data.augmentation.pixels import map_pixels
from maxexp.schema.config import Config
from maxexp.synthesis.native.applications.camera import frame_size
from maxexp.synthesis.synthesis import Synthesis
from maxexp.tracking.artifacts import FIRMWARE
from maxexp.tracking.record import RunRecord

TRIED = 3
"""Test images that the application classifies."""

log = logging.getLogger(__name__)


class ApplicationTrial:
    """One application on one board.

    Args:
        folder: local folder of the run; gets the program.
    """

    def __init__(self, config: Config, board: Board, synthesis: Synthesis, record: RunRecord, folder: Path) -> None:
        self._config = config
        self._board = board
        self._synthesis = synthesis
        self._record = record
        self._application = config.board.application
        self._folder = folder / FIRMWARE / self._application.name

    def run(self, project: Path, images: Tensor | None) -> None:
        """Builds and starts the application; a real board keeps it.

        Args:
            images: uint8 (N, C, H, W), test images; None: there are none, and nothing is asked.

        Raises:
            BoardError: it cannot be built, does not answer, or says another class than the integer network.
        """
        application, name = self._application, self._board.name
        try:
            firmware = self._board.build(project, self._folder)
        finally:
            if self._folder.exists():
                self._record.log_artifact(self._folder, FIRMWARE)
        with self._board.talk(firmware) as line:
            wait_for(line, READY[application])
            # A real camera sees what it sees.
            asked = application is Application.serial or self._config.board.kind is BoardKind.emulated
            tried = list(images[:TRIED].cpu()) if images is not None and asked else []
            for image in tried:
                self._ask(line, image.numpy())
        log.info("board %s: application %s runs; %d test images tried", name, application.name, len(tried))

    def _ask(self, line: Line, image: NDArray[np.uint8]) -> None:
        """Shows the board one image, uint8 (C, H, W), and checks the class that it says."""
        if self._application is Application.camera:
            frame = self._frame(image)
            image = self._seen(frame)
            line.write(np.asarray(frame).tobytes())
        signed = map_pixels(torch.from_numpy(image.copy()), self._config.augmentation.mapping)
        if self._application is Application.serial:
            line.write(request(signed.numpy(), self._config.device.part))
        said = wait_for_result(line)
        integer = self._synthesis.integer
        expected = int(integer(signed[None].long())[0].flatten().argmax())
        if class_of(said) not in (None, expected):
            raise BoardError(
                f"board {self._board.name}: the application says {said!r}, and the integer network class {expected}: "
                "report it"
            )

    def _frame(self, image: NDArray[np.uint8]) -> Image.Image:
        """Returns what the camera delivers of an image that fills its view."""
        size = frame_size(self._synthesis.integer.network)
        assert size is not None, "refused without"
        return to_picture(image.transpose(1, 2, 0)).convert("RGB").resize(size, Image.Resampling.NEAREST)

    def _seen(self, frame: Image.Image) -> NDArray[np.uint8]:
        """Returns the pixels that the network sees of a frame, uint8 (C, H, W), as :mod:`maxexp.camera` has them."""
        shape = self._synthesis.integer.network.in_shape
        pixels = to_pixels(frame, shape, self._config.dataset.resize, recolor=True)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))
