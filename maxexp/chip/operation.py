"""How the accelerator computes an operation: its limits, kernels and cycles, and the synthesizer's words for it.

No torch is imported here or in ``operations``: whether a network fits is known in milliseconds.
"""

from abc import ABC, abstractmethod
from typing import NoReturn

from maxexp.base.errors import DeviceError
from maxexp.chip.part import Part
from maxexp.network.layer import Layer


class ChipOperation(ABC):
    """One operation on the chip; a module of ``operations`` defines it as ``OPERATION``.

    Attributes:
        cycles_by_place: whether its cycles depend on the processors that hold its input.
    """

    cycles_by_place = False

    @abstractmethod
    def check(self, layer: Layer, part: Part) -> None:
        """Refuses what the part cannot compute.

        Raises:
            DeviceError: names the layer, the limit and a remedy.
        """

    def weight_bytes(self, layer: Layer, bits: int) -> int:
        """Bytes of its weights, as the synthesizer counts them."""
        return layer.weights * bits // 8

    @abstractmethod
    def columns(self, layer: Layer, bits: int, part: Part) -> int:
        """Columns of kernel memory that the synthesizer looks for, on each processor of the layer's input."""

    def written_columns(self, layer: Layer, bits: int, part: Part) -> int:
        """Columns that it then fills, at times one more."""
        return self.columns(layer, bits, part)

    def logged_columns(self, layer: Layer, bits: int, part: Part) -> int:
        """Columns that its log states."""
        return self.columns(layer, bits, part)

    @abstractmethod
    def cycles(self, layer: Layer, part: Part, kernel_offset: int, first_processor: int) -> int:
        """Returns the clock cycles, its channels packed on processors aligned to 4 (docs/hardware.md, Latency).

        Args:
            kernel_offset: first column of its kernels.
            first_processor: of its input.
        """

    @abstractmethod
    def words(self, layer: Layer) -> dict[str, object]:
        """Returns the keys of the network YAML for its operation (docs/hardware.md, The maker's synthesizer)."""


def refuse(layer: Layer, text: str) -> NoReturn:
    """Raises a DeviceError about a layer."""
    raise DeviceError(f"layer {layer.name}: {text}")


def limit(layer: Layer, part: Part, value: int, allowed: int, what: str, remedy: str) -> None:
    """Refuses a value above what is allowed."""
    if value > allowed:
        refuse(layer, f"{what} {value:,} is {value - allowed:,} over the {allowed:,} of {part.name}; {remedy}")
