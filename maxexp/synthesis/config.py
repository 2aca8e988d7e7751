"""How the cost of a network on the chip is found."""

from dataclasses import dataclass, field
from enum import Enum

from maxexp.base.errors import ConfigError
from maxexp.base.frozen import frozen
from maxexp.base.roles import EVIDENCE, MACHINE, PLACE


class SynthesisMethod(Enum):
    """Where figures and firmware come from."""

    estimate = "estimate"
    """The cycle and memory model of :mod:`maxexp.chip`; no firmware."""
    native = "native"
    """The same figures, and firmware of our own for a network that has its weights."""
    ai8x = "ai8x"
    """The maker's synthesizer, whose figures and firmware must be ours."""


class Referee(Enum):
    """The comparison with the maker's synthesizer, run beside ours, and all that firmware writes."""

    auto = "auto"
    """Where a checkout is named."""
    always = "always"
    never = "never"


@frozen
@dataclass
class SynthesisConfig:
    """Keys of the synthesize stage.

    Attributes:
        method: who says what the network costs, and writes its firmware.
        path: checkout of ai8x-synthesis; ``AI8X_SYNTHESIS`` of the environment if not given.
        python: interpreter from which the synthesizer's own environment is made; this one if not given.
        timeout_s: seconds after which the synthesizer is stopped.
        referee: with ``native``: whether the maker's synthesizer must agree.
    """

    method: SynthesisMethod = field(default=SynthesisMethod.native, metadata=EVIDENCE)
    path: str | None = field(default=None, metadata=PLACE)
    python: str | None = field(default=None, metadata=PLACE)
    timeout_s: int = field(default=1800, metadata=MACHINE)
    referee: Referee = field(default=Referee.auto, metadata=MACHINE)

    def __post_init__(self) -> None:
        if self.timeout_s <= 0:
            raise ConfigError(f"synthesis.timeout_s={self.timeout_s}: must be above 0")
