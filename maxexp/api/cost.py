"""What a network costs on the chip, for people: a short text, a table of layers, a picture of the memories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maxexp.chip import cost as chip
from maxexp.chip.memory.placement import MemoryMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Memory:
    """The memories of the chip, and what a network takes of them.

    Attributes:
        weight_bytes: weights at their bit widths.
        weight_share: of the chip's weight memory, 0 to 1.
        bias_bytes: one byte a bias.
        data_bytes: peak of the activations, over all layers.
        layout: where each tensor, kernel and bias is.
    """

    weight_bytes: int
    weight_share: float
    bias_bytes: int
    data_bytes: int
    layout: MemoryMap

    def plot(self) -> Figure:
        """Draws data memory over the layers, and the kernels of all processors; a notebook shows it.

        Example:
            >>> maxexp.network("digitsnet", dataset="digits").cost().memory.plot().savefig("memory.png")
        """
        from maxexp.report.figures.memory_picture import memory_picture

        return memory_picture(self.layout)

    def __repr__(self) -> str:
        share = f"{100 * self.weight_share:.1f} %"
        return f"<{self.weight_bytes:,} bytes of weights ({share}), {self.data_bytes:,} of data>"


class Cost:
    """What one inference costs on the chip, estimated by our model of it; exact for cycles and memory.

    Example:
        >>> maxexp.network("nascifarnet", dataset="cifar10").cost()
        <nascifarnet on max78000: 228,217 cycles, 4,564 us, 301,760 bytes of weights (68.2 %), 98,304 of data>
    """

    def __init__(self, cost: chip.Cost) -> None:
        self._cost = cost

    @property
    def cycles(self) -> int | None:
        """Returns the clock cycles of the accelerator; None for a chip whose timing is not known."""
        return self._cost.cycles

    @property
    def latency_us(self) -> float | None:
        """Microseconds of one inference; None where the cycles are not known."""
        return self._cost.latency_us

    @property
    def macs(self) -> int:
        """Returns the multiply-accumulates."""
        return self._cost.network.macs

    @property
    def parameters(self) -> int:
        """Returns the weights and biases."""
        return self._cost.network.weights + self._cost.network.biases

    @property
    def memory(self) -> Memory:
        """Returns what it takes of the chip's memories."""
        cost, fit = self._cost, self._cost.fit
        share = fit.weight_bytes / cost.device.part.weight_bytes
        return Memory(fit.weight_bytes, share, fit.bias_bytes, fit.data_bytes, fit.memory)

    @property
    def layers(self) -> tuple[chip.LayerCost, ...]:
        """One entry for each layer that the hardware computes, copies for sums included."""
        return self._cost.layers

    def metrics(self) -> dict[str, float]:
        """Returns the figures by their names in the run record (``hw/cycles``)."""
        return self._cost.metrics()

    def __repr__(self) -> str:
        cycles, latency = self.cycles, self.latency_us
        time = "" if cycles is None or latency is None else f"{cycles:,} cycles, {latency:,.0f} us, "
        memory = repr(self.memory)[1:-1]
        return f"<{self._cost.network.name} on {self._cost.device.name}: {time}{memory}>"
