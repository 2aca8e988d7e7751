"""What a run's network is at some point: untrained, floating, quantized or integer.

Nothing here imports torch: what is refused takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from maxexp.chip.numbers.integer import IntegerNetwork
    from maxexp.network.module import NetworkModule
    from maxexp.synthesis.synthesis import Synthesis


class Form(Enum):
    """What a network is, known before there is one."""

    untrained = "untrained"
    floating = "floating"
    quantized = "quantized"
    integer = "integer"


@dataclass(frozen=True)
class Untrained:
    """A network without weights."""

    form: ClassVar = Form.untrained
    bits: ClassVar[Mapping[str, int] | None] = None
    integer: ClassVar[IntegerNetwork | None] = None


@dataclass(frozen=True)
class Floating:
    """A network trained in floating point."""

    module: NetworkModule
    form: ClassVar = Form.floating
    bits: ClassVar[Mapping[str, int] | None] = None
    integer: ClassVar[IntegerNetwork | None] = None


@dataclass(frozen=True)
class Quantized:
    """A network whose quantization is simulated in floating point, so that it can be trained.

    Attributes:
        integer: the same as the chip computes it.
        floating: what it was quantized from after training; None where it was trained quantized.
    """

    module: NetworkModule
    integer: IntegerNetwork
    floating: NetworkModule | None = None
    form: ClassVar = Form.quantized

    @property
    def bits(self) -> Mapping[str, int]:
        """Returns the weight bits by layer."""
        return self.integer.bits


@dataclass(frozen=True)
class Integer:
    """Integers alone, which can be computed but not trained."""

    integer: IntegerNetwork
    form: ClassVar = Form.integer

    @property
    def bits(self) -> Mapping[str, int]:
        """Returns the weight bits by layer."""
        return self.integer.bits


RunNetwork = Untrained | Floating | Quantized | Integer


@dataclass(frozen=True)
class Product:
    """What a run has made so far; each stage takes one and gives one.

    Attributes:
        synthesis: the firmware project, once there is one.
    """

    network: RunNetwork
    synthesis: Synthesis | None = None
