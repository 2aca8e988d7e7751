"""How a network is quantized."""

from dataclasses import dataclass, field
from enum import Enum

from maxexp.base.errors import ConfigError
from maxexp.base.frozen import frozen
from maxexp.network.graph import Network

FLOAT_SHARE = 0.85
"""Share of the epochs trained in floating point where ``start_epoch`` is not given."""


class Method(Enum):
    """When, if ever, quantization happens."""

    float = "float"
    ptq = "ptq"
    qat = "qat"


@frozen
@dataclass
class QuantizationConfig:
    """Quantization of weights (activations always have 8 bits).

    A trained network is quantized with ``equalize``, ``search_scales`` and ``correct_biases``, whether that is the
    end (ptq) or where fine-tuning begins (qat).

    Attributes:
        method: ``float`` none; ``ptq`` after training; ``qat`` during it.
        weight_bits: 8, 4, 2 or 1 for all layers not named in ``layer_bits``.
        layer_bits: bits by layer name; ``first`` and ``last`` stand for the outermost layers with weights.
        shift_quantile: share of a layer's weight magnitudes that its scale keeps in range.
        start_epoch: first epoch of quantization-aware training; default after 85 % of the epochs, 0 if the network
            begins trained (``checkpoint``).
        clamp_activations: train the floating-point phase as ai8x-training does, batch norm divided by 4 and
            every activation clamped to the chip's range; otherwise ranges are calibrated when it ends.
        calibration_images: training images from which activation ranges are measured.
        equalize: balance the channels of each tensor between the layers around it first.
        search_scales: choose the scales of each layer's weights and output by the error of that output,
            instead of ``shift_quantile``.
        correct_biases: take the mean error of each channel out by the bias.
        sensitivity: ptq: measure what 8, 4, 2 and 1 bits in each layer cost, and propose bits for ``weight_budget``.
        weight_budget: bytes of weights for that proposal; default half of what 8 bits take.
    """

    method: Method = Method.qat
    weight_bits: int = 8
    layer_bits: dict[str, int] = field(default_factory=dict)
    shift_quantile: float = 1.0
    start_epoch: int | None = None
    clamp_activations: bool = False
    calibration_images: int = 1024
    equalize: bool = True
    search_scales: bool = True
    correct_biases: bool = True
    sensitivity: bool = False
    weight_budget: int | None = None

    def __post_init__(self) -> None:
        for key, bits in {"weight_bits": self.weight_bits, **_prefixed(self.layer_bits)}.items():
            if bits not in (1, 2, 4, 8):
                raise ConfigError(f"quantization.{key}={bits}: must be 1, 2, 4 or 8")
        if not 0.5 <= self.shift_quantile <= 1:
            raise ConfigError(f"quantization.shift_quantile={self.shift_quantile}: must be from 0.5 to 1")
        if self.start_epoch is not None and self.start_epoch < 0:
            raise ConfigError(f"quantization.start_epoch={self.start_epoch}: must not be negative")
        if self.calibration_images < 1:
            raise ConfigError(f"quantization.calibration_images={self.calibration_images}: must be at least 1")
        if self.sensitivity and self.method is not Method.ptq:
            raise ConfigError(
                f"quantization.sensitivity=true: is part of quantization=ptq, not of {self.method.name}; give "
                "quantization=ptq"
            )
        if self.weight_budget is not None and self.weight_budget < 1:
            raise ConfigError(f"quantization.weight_budget={self.weight_budget}: must be at least 1")
        if self.weight_budget is not None and not self.sensitivity:
            raise ConfigError(
                f"quantization.weight_budget={self.weight_budget}: is for the bits that "
                "quantization.sensitivity=true proposes; give that too, or leave the budget out"
            )
        if self.search_scales and self.shift_quantile != 1:
            raise ConfigError(
                f"quantization.shift_quantile={self.shift_quantile}: is unused where scales are searched; give "
                "quantization.search_scales=false too"
            )

    def bits(self, network: Network) -> dict[str, int]:
        """Returns the weight bits of every layer with weights.

        Raises:
            ConfigError: ``layer_bits`` names a layer that the network does not have.
        """
        names = [layer.name for layer in network if layer.has_weights]
        bits = dict.fromkeys(names, self.weight_bits)
        alias = {"first": names[0], "last": names[-1], **{name: name for name in names}}
        for name, value in self.layer_bits.items():
            if name not in alias:
                raise ConfigError(
                    f"quantization.layer_bits.{name}: {network.name} has no such layer with weights; "
                    f"there are: first, last, {', '.join(names)}"
                )
            bits[alias[name]] = value
        return bits

    def float_epochs(self, max_epochs: int, trained: bool = False) -> int:
        """Returns how many of ``max_epochs`` are trained in floating point.

        Args:
            trained: whether the network begins trained; then it is fine-tuned, unless ``start_epoch`` says otherwise.

        Raises:
            ConfigError: ``start_epoch`` leaves no epoch for quantization-aware training.
        """
        if self.method is not Method.qat:
            return max_epochs
        if self.start_epoch is None:
            return 0 if trained else min(round(FLOAT_SHARE * max_epochs), max_epochs - 1)
        if self.start_epoch >= max_epochs:
            raise ConfigError(
                f"quantization.start_epoch={self.start_epoch}: quantization-aware training would never begin; "
                f"it must be below trainer.max_epochs={max_epochs}"
            )
        return self.start_epoch


def _prefixed(layer_bits: dict[str, int]) -> dict[str, int]:
    return {f"layer_bits.{name}": bits for name, bits in layer_bits.items()}
