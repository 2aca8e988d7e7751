"""What is known of a run before anything runs: computed once, handed down.

Nothing here imports torch: a refused network takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from maxexp.chip.check import Fit, check_fit
from maxexp.network.graph import Network
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.run.composition import described_network
from maxexp.run.networks import Form, RunNetwork, Untrained
from maxexp.schema.config import Config, Stage
from maxexp.schema.identity import Identity

_UNTRAINED = Untrained()


@dataclass(frozen=True)
class RunSpec:
    """A run as it is decided; see :func:`describe`.

    Attributes:
        start: what the network is at first: untrained, or as the checkpoint has it.
        method: how it is quantized; a checkpoint may have settled that.
        bits: weight bits by layer.
        fit: what it occupies on the chip; None where it stays in floating point, which does not run there.
    """

    config: Config
    network: Network
    start: Form
    method: Method
    bits: Mapping[str, int]
    fit: Fit | None

    @cached_property
    def identity(self) -> Identity:
        """The identity by which the same experiment is recognized; without the user's own images."""
        return Identity.of(self.config)

    def runs(self, *stages: Stage) -> bool:
        """Tells whether one of these stages was chosen."""
        return any(stage in self.config.stages for stage in stages)

    @property
    def contradiction(self) -> str | None:
        """Returns what of the configuration contradicts the network that it begins with; None: nothing does."""
        config, quantization = self.config, self.config.quantization
        if quantization.sensitivity and not self.runs(Stage.quantize):
            return NOT_MEASURED
        if self.start not in (Form.quantized, Form.integer) or self.runs(Stage.train):
            return None
        if quantization.method is Method.float:
            return (
                f"quantization=float: checkpoint={config.checkpoint} is a quantized network; choose "
                "quantization=qat, or give a floating-point checkpoint"
            )
        return self._other_bits

    @property
    def _other_bits(self) -> str | None:
        """A quantized network keeps its bits; others that were asked for would be ignored."""
        quantization = self.config.quantization
        if not quantization.layer_bits and quantization.weight_bits == QuantizationConfig.weight_bits:
            return None
        for name, asked in sorted(quantization.bits(self.network).items()):
            if asked != self.bits[name]:
                return (
                    f"quantization: {asked} bits for {name}, but checkpoint={self.config.checkpoint} is quantized "
                    f"with {self.bits[name]}; leave the bits out, or begin with the floating-point network"
                )
        return None


NOT_MEASURED = (
    "quantization.sensitivity=true: is measured by the stage quantize, on a floating-point network; give one as "
    "checkpoint, such as run:RUN_ID/checkpoints/float_best.pth.tar, or leave sensitivity out"
)


def describe(
    config: Config, network: Network | None = None, start: RunNetwork = _UNTRAINED, known: RunSpec | None = None
) -> RunSpec:
    """Returns all that is decided about a run.

    Args:
        network: of the configuration, where it was built already.
        start: what the run begins with: what its checkpoint holds.
        known: the same run from another start; if the bits are the same, so is the fit.

    Raises:
        NetworkError: the layers do not fit together.
        ConfigError: the network is none for its data set, or bits are given to a layer that it does not have.
        DeviceError: it does not fit the chip.
    """
    network = network or described_network(config)
    asked = config.quantization.bits(network)
    trains = Stage.train in config.stages
    bits = asked if trains or start.bits is None else start.bits
    method = config.quantization.method if trains else _settled(config, start.form)
    fit = None
    if method is not Method.float:
        fit = known.fit if known and known.bits == bits else check_fit(network, dict(bits), config.device.part)
    return RunSpec(config, network, start.form, method, bits, fit)


def _settled(config: Config, start: Form) -> Method:
    """Returns how a network that is not trained is quantized."""
    if start is Form.quantized:
        return Method.qat
    stays = start is Form.floating and Stage.quantize not in config.stages
    return Method.float if stays else config.quantization.method
