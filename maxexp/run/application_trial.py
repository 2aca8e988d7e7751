"""The application on a board: it is started, and tried as far as that board can."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor

from maxexp.base.errors import BoardError
from maxexp.board.application import class_of, wait_for, wait_for_result
from maxexp.board.board import Board
from maxexp.board.config import BoardKind
from maxexp.board.inference import Line
from maxexp.schema.config import Config
from maxexp.synthesis.native.applications import applications
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
        self._integer = synthesis.integer
        self._record = record
        self._name = config.board.application.name
        self._application = applications()[self._name]
        self._folder = folder / FIRMWARE / self._name

    def run(self, project: Path, images: Tensor | None) -> None:
        """Builds and starts the application; a real board keeps it.

        Args:
            images: uint8 (N, C, H, W), test images; None: there are none, and none is shown.

        Raises:
            BoardError: it cannot be built, does not answer, or says another class than the integer network.
        """
        try:
            firmware = self._board.build(project, self._folder)
        finally:
            if self._folder.exists():
                self._record.log_artifact(self._folder, FIRMWARE)
        real = self._config.board.kind is not BoardKind.emulated
        shown = [] if images is None or (real and self._application.sees_by_itself) else list(images[:TRIED].cpu())
        with self._board.talk(firmware) as line:
            wait_for(line, self._application.ready)
            for image in shown:
                self._classify(line, image)
        log.info("board %s: application %s runs; %d test images tried", self._board.name, self._name, len(shown))

    def _classify(self, line: Line, image: Tensor) -> None:
        """Shows the board an image, uint8 (C, H, W), and checks the class that it says."""
        config = self._config
        sent, seen = self._application.show(
            image.numpy(), config.dataset, config.augmentation.mapping, config.device.part
        )
        line.write(sent)
        said = wait_for_result(line)
        expected = int(self._integer(torch.from_numpy(seen)[None].long())[0].flatten().argmax())
        if class_of(said) not in (None, expected):
            raise BoardError(
                f"board {self._board.name}: the application says {said!r}, the integer network class {expected}; "
                "our model of the chip is wrong, or the board is: report it"
            )
