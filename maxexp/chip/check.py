"""The check whether a network fits a part, made before any training and without heavy imports."""

from dataclasses import dataclass

from maxexp.base.errors import DeviceError
from maxexp.chip.memory.biases import place_biases
from maxexp.chip.memory.excess import Excess
from maxexp.chip.memory.placement import MemoryMap, place
from maxexp.chip.memory.sequence import hardware_sequence
from maxexp.chip.memory.tensors import Block, data_blocks, tensor_bytes, tensor_shapes
from maxexp.chip.memory.verification import verify
from maxexp.chip.operation import limit, refuse
from maxexp.chip.operations import CHIP_OPERATIONS
from maxexp.chip.part import Part
from maxexp.chip.pooling import check_pooling
from maxexp.network.config import BatchNorm
from maxexp.network.graph import INPUT, Network
from maxexp.network.layer import Layer
from maxexp.network.sizes import Shape, dimensions


@dataclass(frozen=True)
class Fit:
    """What a network that fits occupies.

    Attributes:
        memory: where everything is, copies for sums included.
        weight_bytes: all weights at their bit widths, as the synthesizer counts them.
        bias_bytes: one byte per bias.
        data_bytes: peak of the data memory in use, over all instances, at any layer.
    """

    memory: MemoryMap
    weight_bytes: int
    bias_bytes: int
    data_bytes: int


def check_fit(network: Network, bits: dict[str, int], part: Part) -> Fit:
    """Checks every limit of docs/hardware.md, Memories and limits.

    Args:
        bits: weight bits by layer name; layers without weights may be left out.

    Raises:
        DeviceError: the first limit that is broken, with the layer, the excess and a remedy.
    """
    bits = {layer.name: bits.get(layer.name, 8) for layer in network}
    for layer in network:
        _check_layer(layer, bits[layer.name], part)
    _check_input(network.in_shape, part)
    sequence = hardware_sequence(network, part)
    count, copies = len(sequence.layers), len(sequence.layers) - len(network.layers)
    if count > part.limits.layers:
        of_these = f" ({copies} of them copies for sums)" if copies else ""
        raise DeviceError(
            f"{network.name}: {count} layers{of_these}, {part.name} computes at most {part.limits.layers}; "
            f"remove {count - part.limits.layers}"
        )
    weight_bytes = sum(CHIP_OPERATIONS[layer.op].weight_bytes(layer, bits[layer.name]) for layer in network)
    if weight_bytes > part.weight_bytes:
        heaviest = max(network, key=lambda layer: layer.weights * bits[layer.name])
        raise DeviceError(
            f"{network.name}: {weight_bytes:,} bytes of weights are {weight_bytes - part.weight_bytes:,} over "
            f"the {part.weight_bytes:,} of {part.name}; the largest layer is {heaviest.name} "
            f"({heaviest.weights:,} weights); lower model.width, its channels or quantization.weight_bits"
        )
    data_bytes = _check_data_memory(sequence, part)
    bias_bytes = _check_biases(network, part)
    memory = place(sequence, bits, part)
    verify(memory)
    return Fit(memory, weight_bytes, bias_bytes, data_bytes)


def _check_layer(layer: Layer, bits: int, part: Part) -> None:
    """The limits that all operations have, then those of the layer's own."""
    channels, rows, cols = layer.in_shape
    limit(layer, part, channels, part.limits.channels, "input channels", "use fewer channels in the layer before")
    limit(layer, part, layer.out_shape[0], part.limits.channels, "output channels", "use fewer channels")
    padded = (n + 2 * pad for n, pad in zip(layer.pooled_shape[1:], layer.padding, strict=True))
    limit(layer, part, max(rows, cols, *padded), part.limits.size, "rows or columns", "use smaller images")
    passes = part.processors.passes(channels)
    limit(layer, part, rows * cols * passes, part.limits.map_words, "input words", "use smaller images")
    if layer.has_weights and bits < 8 and channels != passes * part.processors.used(channels):
        # The synthesizer shares bytes between kernels of a processor's passes and drops those of a missing one.
        refuse(
            layer,
            f"{channels} channels in {passes} passes cannot have {bits}-bit weights; make them "
            f"a multiple of {passes * part.processors.per_instance}, or use 8 bits",
        )
    if layer.in_size is not None:
        _check_reshape(layer)
    if layer.pool is not None:
        check_pooling(layer, part)
    CHIP_OPERATIONS[layer.op].check(layer, part)
    if layer.operands > 1:
        _check_sum(layer, part)


def _check_reshape(layer: Layer) -> None:
    """Refuses reshapes that the maker's synthesizer gets wrong: it places the network's input in the form that its
    first layer reads, and counts the pixels of all operands of a sum."""
    what = "of a sum" if layer.operands > 1 else "of the network's input" if INPUT in layer.inputs else None
    if what is not None:
        refuse(layer, f"in_size {dimensions(layer.in_size or ())} {what}; set it in a layer behind this one")


def _check_sum(layer: Layer, part: Part) -> None:
    """Limits of element-wise operands, which share the steps of a layer with passes, pooling and operation."""
    allowed = part.limits.pooled_operands if layer.pool else part.limits.operands
    if layer.operands > allowed:
        refuse(
            layer,
            f"{layer.operands} element-wise operands are {layer.operands - allowed} over the {allowed} that "
            f"{part.name} adds{' in front of a pooling' if layer.pool else ''}; add them in several layers",
        )
    passes = part.processors.passes(layer.in_shape[0])
    bare = not layer.has_weights and layer.pool is None
    several = part.quirks.single_pass_sums and passes > 1 and (layer.operands, passes) != (2, 2)
    if several and not bare:
        refuse(
            layer,
            f"{part.name} has no pooling or operation behind a sum of {layer.operands} inputs in {passes} passes; "
            "add in a passthrough layer in front of it",
        )
    if layer.biases and not part.quirks.sums_with_bias:
        plain = layer.batchnorm is BatchNorm.none
        refuse(
            layer,
            f"{part.name} adds no biases in a layer that sums its inputs; "
            f"{'set bias: false, or ' if plain else ''}add in a passthrough layer in front of it",
        )


def _check_input(shape: Shape, part: Part) -> None:
    """The network's input alone: firmware loads all of it before the start, the channels of a pixel side by side."""
    channels, rows, cols = shape
    pixel_bytes, _ = tensor_bytes((channels, 1, 1), part)
    most = part.memories.instance_bytes // pixel_bytes
    if rows * cols > most:
        raise DeviceError(
            f"input {dimensions(shape)}: its {rows * cols:,} pixels are {rows * cols - most:,} over the {most:,} of "
            f"{channels} channels that the data memory of {part.name} holds; use smaller images (streaming by the "
            "FIFO and inputs in CHW order, for larger ones, are not supported)"
        )


def _check_biases(network: Network, part: Part) -> int:
    """Returns the bytes of the biases, placed with all quadrants in use; a memory map may use fewer."""
    found = place_biases(network, list(range(part.processors.quadrants)), part)
    if isinstance(found, Excess):
        layer = network.by_name[found.layer]
        over = max(network.biases - part.processors.quadrants * part.memories.bias_bytes, found.amount)
        plain = layer.batchnorm is BatchNorm.none
        raise DeviceError(
            f"layer {layer.name}: its {layer.biases:,} biases do not fit; the network's {network.biases:,} are "
            f"{over:,} over {part.name}'s {part.processors.quadrants} bias memories of {part.memories.bias_bytes:,} "
            f"bytes each; lower model.width or use fewer channels{', or set bias: false' if plain else ''}"
        )
    return network.biases


def _check_data_memory(sequence: Network, part: Part) -> int:
    """Returns the peak bytes of all live tensors; each instance must hold those that cannot lie beside each other."""
    shapes, half = tensor_shapes(sequence), part.processors.instances / 2
    blocks = data_blocks(sequence, part)
    instances = {block: tensor_bytes(shapes[block.tensors[0]], part)[1] for block in blocks}
    peak = 0
    for index, layer in enumerate(sequence):
        live = [block for block in blocks if block.alive(index)]
        peak = max(peak, sum(block.size * instances[block] for block in live))
        # Tensors on more than half of the instances meet in at least one, wherever they are placed.
        _check_instance(layer, [block for block in live if instances[block] > half], shapes, part)
        for tied in sequence.tied_tensors:
            _check_instance(layer, [block for block in live if block.tensors[0] in tied], shapes, part)
    return peak


def _check_instance(layer: Layer, blocks: list[Block], shapes: dict[str, Shape], part: Part) -> None:
    size, most = sum(block.size for block in blocks), part.memories.instance_bytes
    if size > most:
        what = " and ".join(f"{name} ({dimensions(shapes[name])})" for block in blocks for name in block.tensors)
        raise DeviceError(
            f"layer {layer.name}: {what} take {size:,} bytes of a data memory instance, "
            f"{size - most:,} over the {most:,} of {part.name}; use smaller images, pool earlier or use fewer "
            "channels"
        )
