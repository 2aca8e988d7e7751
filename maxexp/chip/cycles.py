"""Clock cycles of a network on the accelerator, exact for networks without streaming (docs/hardware.md, Latency)."""

from maxexp.chip.operations import CHIP_OPERATIONS
from maxexp.chip.part import Part
from maxexp.network.layer import Layer

STARTUP_CYCLES = 1
"""Cycles before the first layer."""


def layer_cycles(layer: Layer, part: Part, kernel_offset: int = 0, first_processor: int = 0) -> int:
    """Cycles of one layer; for what its place matters, see :class:`maxexp.chip.operation.ChipOperation`."""
    return CHIP_OPERATIONS[layer.op].cycles(layer, part, kernel_offset, first_processor)
