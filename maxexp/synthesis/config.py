"""How the cost of a network on the chip is found."""

from dataclasses import dataclass
from enum import Enum


class SynthesisMethod(Enum):
    """Where cycles and memory come from."""

    estimate = "estimate"


@dataclass
class SynthesisConfig:
    """Attributes: method: ``estimate`` is the cycle and memory model of :mod:`maxexp.device`."""

    method: SynthesisMethod = SynthesisMethod.estimate
