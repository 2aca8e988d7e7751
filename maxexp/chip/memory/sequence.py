"""The layers that the chip computes: those of the description, and the copies that sums need.

A sum reads its operands word by word in turn, so they must have been written interleaved, and nothing else on
the MAX78000 can read what was (docs/hardware.md, Sums). A tensor that nothing reads but sums, all of them of the same
operands in the same order, is written so by its layer, as far as that can. Every other operand, and the network's
input, is copied for the sum by a passthrough layer.
"""

from dataclasses import replace

from maxexp.chip.part import Part
from maxexp.network.config import LayerConfig
from maxexp.network.graph import INPUT, Network
from maxexp.network.layer import Layer, resolve_layer


def hardware_sequence(network: Network, part: Part) -> Network:
    """The network with each copy right in front of the first sum that reads it: its memory is busy for shortest.

    Names of copies (``stem-for-sum``) are no identifiers, so they differ from those of all layers.
    """
    readings: dict[str, set[tuple[str, ...]]] = {}
    for layer in network:
        for name in layer.inputs:
            readings.setdefault(name, set()).add(layer.inputs)
    interleaved: dict[tuple[str, ...], tuple[str, ...]] = {}
    layers: list[Layer] = []
    for layer in network:
        if layer.operands > 1 and layer.inputs not in interleaved:
            inputs = list(layer.inputs)
            for position, name in enumerate(layer.inputs):
                alone = name != INPUT and readings[name] == {layer.inputs}
                if not (alone and _can_interleave(network.by_name[name], layer.operands, part)):
                    layers.append(_copy(name, layer))
                    inputs[position] = layers[-1].name
            interleaved[layer.inputs] = tuple(inputs)
        layers.append(replace(layer, inputs=interleaved.get(layer.inputs, layer.inputs)))
    return Network(network.name, network.in_shape, tuple(layers))


def write_gaps(network: Network) -> dict[str, int]:
    """Words that a tensor leaves free after each of its own, by tensor name: room for a sum's other operands.

    Args:
        network: a hardware sequence.
    """
    gaps = dict.fromkeys((INPUT, *network.by_name), 0)
    for layer in network:
        gaps |= dict.fromkeys(layer.inputs, layer.operands - 1)
    return gaps


def _can_interleave(writer: Layer, operands: int, part: Part) -> bool:
    """Tells whether a layer's write pointer can step from pixel to pixel over all passes of all operands.

    Only that of an operation has to: a passthrough layer steps from pass to pass (docs/hardware.md, Registers,
    LCTL2).
    """
    passes = part.processors.passes(writer.out_shape[0])
    return not writer.has_weights or passes * operands <= part.limits.write_step


def _copy(tensor: str, reader: Layer) -> Layer:
    entry = LayerConfig(op="passthrough")
    return resolve_layer(f"{tensor}-for-{reader.name}", entry, (tensor,), reader.in_shape)
