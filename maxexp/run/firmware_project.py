"""The firmware project of a run's network: by our own synthesizer, by the maker's, or by both."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from maxexp.base.errors import MaxexpError
from maxexp.board.config import Application
from maxexp.data.class_names import published_names
from maxexp.run.context import RunContext
from maxexp.run.spec import RunSpec
from maxexp.schema.config import Stage
from maxexp.synthesis.config import Referee, SynthesisMethod
from maxexp.tasks.config import TaskName
from maxexp.tracking.artifacts import SYNTHESIS

if TYPE_CHECKING:
    from torch import Tensor

    from maxexp.chip.numbers.integer import IntegerNetwork
    from maxexp.synthesis.ai8x import ConfirmedSynthesis, Synthesizer
    from maxexp.synthesis.synthesis import Synthesis

log = logging.getLogger(__name__)


def find_synthesizer(spec: RunSpec) -> Synthesizer | None:
    """The maker's synthesizer, where the run wants it: to synthesize, or as referee.

    Raises:
        ConfigError, SynthesisError: it is wanted and not there, or its environment cannot be made.
    """
    from maxexp.synthesis.ai8x import CHECKOUT_VARIABLE, Synthesizer  # only here: it brings torch

    config = spec.config.synthesis
    if config.method is SynthesisMethod.native:
        named = config.path or os.environ.get(CHECKOUT_VARIABLE)
        if config.referee is Referee.never or (config.referee is Referee.auto and not named):
            return None
    try:
        return Synthesizer(config, spec.config.device, spec.fit)
    except MaxexpError as error:
        if (config.method, config.referee) != (SynthesisMethod.native, Referee.auto):
            raise
        log.warning("the maker's synthesizer does not check our firmware: %s", error)
        return None


def wants_firmware(spec: RunSpec, trained: bool) -> bool:
    """Tells whether our own synthesizer has to write firmware: of made-up weights only where a board runs it.

    Args:
        trained: whether the network has weights of its own.
    """
    config = spec.config
    if config.synthesis.method is not SynthesisMethod.native or config.device.part.toolchain is None:
        return False
    return trained or (spec.runs(Stage.deploy) and config.board.kind.name != "none")


class FirmwareProject:
    """Writes the project of one run's network.

    Args:
        synthesizer: the maker's, to synthesize or as referee.
    """

    def __init__(self, spec: RunSpec, context: RunContext, synthesizer: Synthesizer | None) -> None:
        self._spec, self._context, self._synthesizer = spec, context, synthesizer
        self.folder = context.folder / SYNTHESIS

    def native(self, integer: IntegerNetwork) -> tuple[Synthesis, ConfirmedSynthesis | None]:
        """Returns the our own project, and what the referee makes of the network, if there is one.

        Raises:
            SynthesisError: see :func:`maxexp.synthesis.native.synthesizer.synthesize`; or the referee differs.
        """
        from maxexp.synthesis.native.synthesizer import synthesize

        spec, sample = self._spec, self._sample()
        ours = self._with_application(
            synthesize(integer, spec.config.device, sample, self._classes(), self.folder, spec.fit)
        )
        if self._synthesizer is None:
            return ours, None
        folder = self.folder / "referee"
        theirs = self._by_maker(self._synthesizer, integer, sample, folder)
        shutil.rmtree(folder)  # all that it has is equal
        return ours, theirs

    def _with_application(self, synthesis: Synthesis) -> Synthesis:
        """Adds the project of ``board.application``, if one is wanted."""
        from maxexp.synthesis.native.application import Pictures, write_application
        from maxexp.synthesis.native.applications import applications

        config = self._spec.config
        if config.board.application is Application.none:
            return synthesis
        name = config.board.application.name
        pictures = Pictures(config.dataset.resize, config.augmentation.mapping)
        project = write_application(name, applications()[name], synthesis, self._classes(), pictures)
        log.info("application %s: %s", name, project)
        return replace(synthesis, application=project)

    def by_maker(self, integer: IntegerNetwork) -> ConfirmedSynthesis:
        """The maker's project. Raises SynthesisError, see :meth:`maxexp.synthesis.ai8x.Synthesizer.run`."""
        assert self._synthesizer is not None, "found in prepare()"
        sample = self._synthesizer.sample(self._spec.config.dataset.name, self._spec.network.in_shape)
        sample = self._sample() if sample is None else sample
        return self._by_maker(self._synthesizer, integer, sample, self.folder)

    def _by_maker(
        self, synthesizer: Synthesizer, integer: IntegerNetwork, sample: Tensor, folder: Path
    ) -> ConfirmedSynthesis:
        from maxexp.quantization.files.checkpoint import write_integer

        checkpoint = self._context.folder / "synthesis-q.pth.tar"
        write_integer(checkpoint, integer, 0, {})
        return synthesizer.run(integer, checkpoint, self._spec.config.dataset.name, sample, folder)

    def _sample(self) -> Tensor:
        """Returns (C, H, W) input of the known-answer test: the first test image as firmware sees it, if data are
        there."""
        from maxexp.data.augmentation.config import InputMapping
        from maxexp.data.augmentation.pixels import map_pixels
        from maxexp.synthesis.stand_in import random_image

        images = self._context.local_test_images()
        if images is None:
            log.info("no test images: the known-answer test gets random numbers")
            return random_image(self._spec.network.in_shape, self._spec.config.seed)
        return map_pixels(images.images[0], InputMapping.p128).long()

    def _classes(self) -> list[str] | None:
        """Returns the names of the outputs, numbers where no data are there; None where they are no scores of
        classes."""
        if self._spec.config.task.name is not TaskName.classification:
            return None
        images = self._context.local_test_images()
        if images:
            return list(images.classes)
        known = published_names(self._spec.config.dataset)
        return list(known) or [str(n) for n in range(self._spec.network.out_features)]
