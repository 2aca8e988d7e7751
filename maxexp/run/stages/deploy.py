"""The stage deploy: the synthesized network on a board, real or emulated."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from maxexp.board.config import BoardKind
from maxexp.quantization.config import Method
from maxexp.run.networks import Form, Product
from maxexp.run.spec import RunSpec
from maxexp.run.stages.base import RunStage
from maxexp.run.stages.synthesize import NOT_ON_CHIP
from maxexp.schema.config import Stage
from maxexp.synthesis.config import SynthesisMethod
from maxexp.tracking.record import RunRecord

if TYPE_CHECKING:
    from maxexp.board.board import Board
    from maxexp.synthesis.synthesis import Synthesis

log = logging.getLogger(__name__)


class Deploy(RunStage):
    """Runs the known-answer test on the board, then classifies test images there."""

    stage = Stage.deploy

    _board: Board
    """Of :meth:`prepare`."""

    @classmethod
    def refusal(cls, spec: RunSpec, network: Form) -> str | None:
        config = spec.config
        if config.board.kind is BoardKind.none or config.quantization.method is Method.float:
            return None
        if spec.method is Method.float:
            return NOT_ON_CHIP.format(checkpoint=config.checkpoint)
        needs = []
        if not spec.runs(Stage.synthesize):
            needs.append("add synthesize to stages")
        if config.synthesis.method is SynthesisMethod.estimate:
            needs.append("set synthesis=native")
        if not needs:
            return None
        return (
            f"board={config.board.kind.name}: deploy runs the firmware that synthesize writes; "
            f"{', '.join(needs)}, or choose board=none"
        )

    @classmethod
    def skip_reason(cls, spec: RunSpec, network: Form) -> str | None:
        if spec.config.board.kind is BoardKind.none:
            return "board=none"
        return "quantization=float" if spec.method is Method.float else None

    def prepare(self) -> None:
        """Finds the board's tools; the board itself need not be connected yet.

        Raises:
            BoardError: see :func:`maxexp.board.board.open_board`.
        """
        from maxexp.board.board import open_board

        self._board = open_board(self._spec.config.board, self._spec.config.device.part)

    def run(self, product: Product, record: RunRecord) -> Product:
        from maxexp.run.deployment import Deployment, choose_images

        assert product.synthesis, "refused without"
        config, integer = self._spec.config, product.network.integer
        deployment = Deployment(self._board, product.synthesis, record, self._context.folder)
        deployment.run_known_answer()
        images = self._context.local_test_images()
        if integer is None or images is None or config.board.images == 0:
            log.info("no trained network, test images or board.images: no accuracy on the board")
        else:
            chosen = choose_images(images, config.board.images, config.seed)
            deployment.measure_accuracy(self._context.task, integer, chosen, config.augmentation.mapping)
        if product.synthesis.application:
            self._start_application(product.synthesis.application, product.synthesis, record)
        return product

    def _start_application(self, project: Path, synthesis: Synthesis, record: RunRecord) -> None:
        """Leaves the board with the application, last of all; on the emulated board it is tried."""
        from maxexp.run.application_trial import ApplicationTrial

        config, images = self._spec.config, self._context.local_test_images()
        trial = ApplicationTrial(config, self._board, synthesis, record, self._context.folder)
        trial.run(project, None if images is None else images.images)


STAGE = Deploy
