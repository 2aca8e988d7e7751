"""The stage synthesize: what the network costs on the chip, and its firmware."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from maxexp.base.metrics import SYNTHESIZER_TAG
from maxexp.chip.cost import Cost, counted, network_cost
from maxexp.quantization.config import Method
from maxexp.report.summary import cost_table
from maxexp.run.applications import application_refusal
from maxexp.run.firmware_project import FirmwareProject, find_synthesizer, wants_firmware
from maxexp.run.networks import Form, Product
from maxexp.run.spec import RunSpec
from maxexp.run.stages.base import RunStage
from maxexp.schema.config import Stage
from maxexp.synthesis.config import SynthesisMethod
from maxexp.synthesis.network_yaml import network_yaml
from maxexp.tracking.artifacts import COST, MEMORY_MAP, NETWORK_YAML, SYNTHESIS_REPORT
from maxexp.tracking.record import RunRecord

if TYPE_CHECKING:
    from maxexp.synthesis.ai8x import ConfirmedSynthesis, Synthesizer
    from maxexp.synthesis.synthesis import Synthesis

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
        if config.quantization.method is Method.float:
            return None
        wanted = config.synthesis.method is SynthesisMethod.ai8x
        if wanted and spec.method is Method.float:
            return NOT_ON_CHIP.format(checkpoint=config.checkpoint)
        return application_refusal(spec, network)

    def prepare(self) -> None:
        """Finds the maker's synthesizer, where it is wanted.

        Raises:
            ConfigError, SynthesisError: it is not there, or its environment cannot be made.
        """
        spec = self._spec
        if spec.method is Method.float or spec.config.synthesis.method is SynthesisMethod.estimate:
            return
        if spec.config.synthesis.method is SynthesisMethod.ai8x or wants_firmware(spec, self._will_be_trained):
            self._synthesizer = find_synthesizer(spec)

    def run(self, product: Product, record: RunRecord) -> Product:
        spec = self._spec
        if spec.fit is None:
            # Floating point does not run on the chip: what it would need elsewhere, and no latency.
            weight_bytes, bias_bytes = FLOAT_BYTES * spec.network.weights, FLOAT_BYTES * spec.network.biases
            record.log_metrics(counted(spec.network, weight_bytes, bias_bytes))
            return product
        confirmed, made_by_maker = None, spec.config.synthesis.method is SynthesisMethod.ai8x
        if made_by_maker or wants_firmware(spec, product.network.integer is not None):
            synthesis, confirmed = self._synthesize(product, record)
            product = replace(product, synthesis=synthesis)
        if product.synthesis:
            cost = product.synthesis.cost
        else:
            cost = network_cost(spec.network, dict(spec.bits), spec.config.device, spec.fit)
        if confirmed:
            record.set_tags({"hw.source": "synthesized", SYNTHESIZER_TAG: confirmed.version})
        else:
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

    def _synthesize(self, product: Product, record: RunRecord) -> tuple[Synthesis, ConfirmedSynthesis | None]:
        """The network's firmware, and what the maker's synthesizer says of it, if that is there.

        What was written is recorded even where it fails.
        """
        from maxexp.synthesis.stand_in import random_integers

        spec = self._spec
        project = FirmwareProject(spec, self._context, self._synthesizer)
        integer = product.network.integer or random_integers(spec.network, dict(spec.bits), spec.config.seed)
        synthesis: Synthesis
        confirmed: ConfirmedSynthesis | None
        try:
            if spec.config.synthesis.method is SynthesisMethod.ai8x:
                synthesis = confirmed = project.by_maker(integer)
            else:
                synthesis, confirmed = project.native(integer)
        finally:
            if project.folder.exists():
                record.log_artifact(project.folder)
        record.log_dict((confirmed or synthesis).report(), SYNTHESIS_REPORT)
        return synthesis, confirmed

    @property
    def _will_be_trained(self) -> bool:
        """Tells whether the network has weights of its own when the stage begins."""
        return self._spec.start is not Form.untrained or self._spec.runs(Stage.train)


def _say_estimated(cost: Cost, record: RunRecord) -> None:
    if cost.cycles is None:
        log.info("cost: no cycles and no latency, for they are not known of %s", cost.device.name)
        return
    log.info("cost: estimated by our model of the chip; synthesis=ai8x asks the maker's synthesizer")
    record.set_tags({"hw.source": "estimated"})


STAGE = Synthesize
