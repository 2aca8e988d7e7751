"""Placement of biases in the quadrants' memories, as the synthesizer packs them (docs/hardware.md, Memories and
limits)."""

from dataclasses import dataclass

from maxexp.chip.memory.excess import Excess
from maxexp.chip.part import Part
from maxexp.network.graph import Network


@dataclass(frozen=True)
class BiasPlace:
    """Where a layer's biases are: quadrant, and offset in its bias memory, in bytes."""

    group: int
    offset: int


def place_biases(network: Network, groups: list[int], part: Part) -> dict[str, BiasPlace] | Excess:
    """Places flattening layers first, then the largest; each goes into the emptiest memory.

    Args:
        groups: quadrants that the network uses; the others' memories are off.

    Returns:
        Places by layer name, or the first layer whose biases do not fit.
    """
    used = dict.fromkeys(groups, 0)
    layers = [layer for layer in network if layer.biases]
    # With one quadrant the synthesizer keeps the order of the layers.
    layers.sort(key=lambda x: (not x.flatten, 0 if x.flatten or len(groups) == 1 else -x.biases))
    places = {}
    for layer in layers:
        group = min(groups, key=lambda g: used[g])
        over = used[group] + layer.biases - part.memories.bias_bytes
        if over > 0:
            return Excess(layer.name, over)
        places[layer.name] = BiasPlace(group, used[group])
        used[group] += layer.biases
    return places
