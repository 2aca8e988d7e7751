"""What a network costs on a device: memory, operations, cycles, latency."""

from dataclasses import dataclass
from typing import Any

from maxexp.chip.check import Fit, check_fit
from maxexp.chip.config import DeviceConfig
from maxexp.chip.metrics import (
    BIAS_MEMORY,
    CYCLES,
    DATA_MEMORY,
    DATA_SHARE,
    LATENCY,
    MACS,
    MACS_PER_CYCLE,
    OPERATIONS,
    PARAMETERS,
    THROUGHPUT,
    WEIGHT_MEMORY,
    WEIGHT_SHARE,
)
from maxexp.network.graph import Network


@dataclass(frozen=True)
class LayerCost:
    """One layer of the hardware sequence; ``cycles`` is None for a part whose timing is not known."""

    name: str
    out_shape: tuple[int, int, int]
    weights: int
    bits: int
    macs: int
    ops: int
    cycles: int | None

    def plain(self) -> dict[str, Any]:
        """Returns its figures as plain values, for JSON."""
        return {
            "name": self.name,
            "out_shape": list(self.out_shape),
            "weights": self.weights,
            "weight_bits": self.bits,
            "macs": self.macs,
            "ops": self.ops,
            "cycles": self.cycles,
        }


@dataclass(frozen=True)
class Cost:
    """Cost of one inference; ``cycles`` and what follows from it are None where the part's timing is not known."""

    network: Network
    device: DeviceConfig
    fit: Fit
    layers: tuple[LayerCost, ...]

    @property
    def cycles(self) -> int | None:
        return self.fit.memory.cycles if self.device.part.cycles_known else None

    @property
    def latency_us(self) -> float | None:
        """Microseconds of pure computation; a stopwatch on the board adds some 6 us (docs/hardware.md, Latency)."""
        return None if self.cycles is None else self.cycles / self.device.clock_mhz

    def metrics(self) -> dict[str, float]:
        """The ``hw/`` metrics of the run record."""
        values = counted(self.network, self.fit.weight_bytes, self.fit.bias_bytes)
        values[WEIGHT_SHARE.key] = self.fit.weight_bytes / self.device.part.weight_bytes
        values[DATA_MEMORY.key] = self.fit.data_bytes
        values[DATA_SHARE.key] = self.fit.data_bytes / self.device.part.data_bytes
        cycles, latency_us = self.cycles, self.latency_us
        if cycles is not None and latency_us is not None:
            values |= {
                CYCLES.key: cycles,
                LATENCY.key: latency_us,
                THROUGHPUT.key: 1e6 / latency_us,
                MACS_PER_CYCLE.key: self.network.macs / cycles,
            }
        return values


def counted(network: Network, weight_bytes: int, bias_bytes: int) -> dict[str, float]:
    """The ``hw/`` metrics that a network has on any hardware, in any format of its numbers."""
    return {
        PARAMETERS.key: network.weights + network.biases,
        MACS.key: network.macs,
        OPERATIONS.key: network.ops,
        WEIGHT_MEMORY.key: weight_bytes,
        BIAS_MEMORY.key: bias_bytes,
    }


def network_cost(network: Network, bits: dict[str, int], device: DeviceConfig, fit: Fit | None = None) -> Cost:
    """Returns the cost of ``network`` with ``bits`` per weight by layer name (8 where not named).

    Args:
        fit: what it occupies, where that is known.

    Raises:
        DeviceError: the network does not fit.
    """
    fit = fit or check_fit(network, bits, device.part)
    cycles = fit.memory.layer_cycles
    rows = [
        LayerCost(
            layer.name,
            layer.out_shape,
            layer.weights,
            bits.get(layer.name, 8),
            layer.macs,
            layer.ops,
            cycles[layer.name] if device.part.cycles_known else None,
        )
        for layer in fit.memory.network
    ]
    return Cost(network, device, fit, tuple(rows))
