"""The stage synthesize: what the network costs on the chip, and its firmware if the maker's synthesizer is there."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from maxexp.chip.cost import Cost, counted, network_cost
from maxexp.quantization.config import Method
from maxexp.report.summary import cost_table
from maxexp.run.networks import Form, Product
from maxexp.run.spec import RunSpec
from maxexp.run.stages.base import RunStage
from maxexp.schema.config import Stage
from maxexp.synthesis.config import SynthesisMethod
from maxexp.synthesis.network_yaml import network_yaml
from maxexp.tracking.artifacts import COST, MEMORY_MAP, NETWORK_YAML, SYNTHESIS, SYNTHESIS_REPORT
from maxexp.tracking.record import RunRecord

if TYPE_CHECKING:
    from torch import Tensor

    from maxexp.synthesis.ai8x import Synthesis, Synthesizer

log = logging.getLogger(__name__)

FLOAT_BYTES = 4
NOT_ON_CHIP = (
    "checkpoint={checkpoint} is a floating-point network, which the chip cannot run; add quantize to stages, with "
    "quantization=ptq, or give the quantized checkpoint"
)


class Synthesize(RunStage):
    """Finds the cost by our model of the chip or the maker's synthesizer, and records it with the memory layout."""

    stage = Stage.synthesize

    _synthesizer: Synthesizer | None = None
    """Of :meth:`prepare`."""

    @classmethod
    def refusal(cls, spec: RunSpec, network: Form) -> str | None:
        """A floating-point network has no firmware, and must not look as if it had."""
        config = spec.config
        wanted = config.synthesis.method is SynthesisMethod.ai8x and config.quantization.method is not Method.float
        return NOT_ON_CHIP.format(checkpoint=config.checkpoint) if wanted and spec.method is Method.float else None

    def prepare(self) -> None:
        """Find the maker's synthesizer, where it is wanted.

        Raises:
            ConfigError, SynthesisError: it is not there, or its environment cannot be made.
        """
        config = self._spec.config
        if config.synthesis.method is SynthesisMethod.ai8x and self._spec.method is not Method.float:
            # Only here: it brings torch.
            from maxexp.synthesis.ai8x import Synthesizer

            self._synthesizer = Synthesizer(config.synthesis, config.device, self._spec.fit)

    def run(self, product: Product, record: RunRecord) -> Product:
        spec = self._spec
        if spec.fit is None:
            # Floating point does not run on the chip: what it would need elsewhere, and no latency.
            weight_bytes, bias_bytes = FLOAT_BYTES * spec.network.weights, FLOAT_BYTES * spec.network.biases
            record.log_metrics(counted(spec.network, weight_bytes, bias_bytes))
            return product
        if self._synthesizer:
            product = replace(product, synthesis=self._synthesize(self._synthesizer, product, record))
        if product.synthesis:
            cost = product.synthesis.cost
        else:
            cost = network_cost(spec.network, dict(spec.bits), spec.config.device, spec.fit)
            _say_estimated(cost, record)
        self._record(cost, record)
        return product

    def _record(self, cost: Cost, record: RunRecord) -> None:
        from maxexp.report.figures.memory_picture import memory_picture

        memory, spec = cost.fit.memory, self._spec
        record.log_metrics(cost.metrics())
        record.log_dict(cost_table(cost), COST)
        record.log_figure(memory_picture(memory), MEMORY_MAP)
        record.log_text(network_yaml(memory, dict(spec.bits), spec.config.dataset.name), NETWORK_YAML)

    def _synthesize(self, synthesizer: Synthesizer, product: Product, record: RunRecord) -> Synthesis:
        """Have the network synthesized; what the synthesizer wrote is recorded even where it fails."""
        from maxexp.quantization.files.checkpoint import write_integer
        from maxexp.synthesis.stand_in import random_integers

        spec, config, folder = self._spec, self._spec.config, self._context.folder / SYNTHESIS
        integer = product.network.integer or random_integers(spec.network, dict(spec.bits), config.seed)
        checkpoint = self._context.folder / "synthesis-q.pth.tar"
        write_integer(checkpoint, integer, 0, {})
        try:
            sample = synthesizer.sample(config.dataset.name, spec.network.in_shape)
            sample = self._sample() if sample is None else sample
            synthesis = synthesizer.run(integer, checkpoint, config.dataset.name, sample, folder)
        finally:
            if folder.exists():
                record.log_artifact(folder)
        record.log_dict(synthesis.report(), SYNTHESIS_REPORT)
        record.set_tags({"hw.source": "synthesized", "ai8x.version": synthesis.version})
        return synthesis

    def _sample(self) -> Tensor:
        """(C, H, W) input of the known-answer test: the first test image as firmware sees it, if data are there."""
        from maxexp.data.augmentation.config import InputMapping
        from maxexp.data.augmentation.pixels import map_pixels
        from maxexp.synthesis.stand_in import random_image

        images = self._context.local_test_images()
        if images is None:
            log.info("no test images: the known-answer test gets random numbers")
            return random_image(self._spec.network.in_shape, self._spec.config.seed)
        return map_pixels(images.images[0], InputMapping.p128).long()


def _say_estimated(cost: Cost, record: RunRecord) -> None:
    if cost.cycles is None:
        log.info("cost: no cycles and no latency, for they are not known of %s", cost.device.name)
        return
    log.info("cost: estimated by our model of the chip; synthesis=ai8x asks the maker's synthesizer")
    record.set_tags({"hw.source": "estimated"})


STAGE = Synthesize
