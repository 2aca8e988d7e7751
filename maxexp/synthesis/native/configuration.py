"""All that the accelerator holds before its start, for one network: registers, kernels, biases."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maxexp.chip.memory.placement import MemoryMap
from maxexp.chip.numbers.integer import IntegerLayer
from maxexp.synthesis.native.kernels import kernel_columns
from maxexp.synthesis.native.layer_registers import Registers, layer_registers
from maxexp.synthesis.native.placed_layer import PlacedLayer, used_quadrants


@dataclass(frozen=True)
class Configuration:
    """What firmware writes into the accelerator.

    Attributes:
        memory: the map that it follows.
        quadrants: those in use.
        registers: of each layer of the hardware sequence, by quadrant.
        kernels: by processor and first column: uint8 (columns, bytes).
        biases: by quadrant: int8, from the first entry of its bias memory on.
    """

    memory: MemoryMap
    quadrants: tuple[int, ...]
    registers: tuple[dict[int, Registers], ...]
    kernels: dict[int, dict[int, NDArray[np.uint8]]]
    biases: dict[int, NDArray[np.int8]]


def configuration(memory: MemoryMap, layers: list[IntegerLayer]) -> Configuration:
    """The configuration of a network.

    Args:
        memory: where everything is; it has no biases that are all zero (:mod:`maxexp.synthesis.stored`).
        layers: weights, biases and shifts; layers of the map that are not among them are copies.
    """
    numbers = {entry.layer.name: entry for entry in layers}
    quadrants = used_quadrants(memory)
    registers: list[dict[int, Registers]] = []
    kernels: dict[int, dict[int, NDArray[np.uint8]]] = {}
    for layer in memory.network:
        entry = numbers.get(layer.name, IntegerLayer(layer))
        x = PlacedLayer(layer, memory, quadrants, entry.bits, entry.shift)
        registers.append(layer_registers(x))
        if entry.weight is not None:
            columns = kernel_columns(x, entry.weight.numpy())
            for processor, own in zip(x.in_processors, columns, strict=True):
                kernels.setdefault(processor, {})[x.column] = own
    return Configuration(memory, quadrants, tuple(registers), kernels, _biases(memory, numbers))


def _biases(memory: MemoryMap, numbers: dict[str, IntegerLayer]) -> dict[int, NDArray[np.int8]]:
    """Returns the bias memories up to the last bias."""
    places = sorted(memory.biases.items(), key=lambda item: (item[1].group, item[1].offset))
    parts: dict[int, list[NDArray[np.int8]]] = {}
    for name, place in places:
        bias = numbers[name].bias
        assert bias is not None, "only layers with biases have a place for them"
        parts.setdefault(place.group, []).append(bias.numpy())
    return {quadrant: np.concatenate(values) for quadrant, values in parts.items()}
