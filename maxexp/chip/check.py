"""Whether a network fits a device, decided before any training and without heavy imports."""

from dataclasses import dataclass
from math import ceil

from maxexp.base.errors import DeviceError
from maxexp.chip.config import DeviceConfig
from maxexp.chip.cycles import processors_used
from maxexp.chip.memory.biases import place_biases
from maxexp.chip.memory.excess import Excess
from maxexp.chip.memory.placement import MemoryMap, place
from maxexp.chip.memory.sequence import hardware_sequence
from maxexp.chip.memory.tensors import Block, data_blocks, tensor_bytes, tensor_shapes
from maxexp.chip.memory.verification import verify
from maxexp.network.config import BatchNorm, Op
from maxexp.network.graph import Layer, Network, Shape

MAX_OPERANDS = 16
MAX_OPERANDS_POOLED = 2
MAX_MAP_WORDS = 2**21


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


def check_fit(network: Network, bits: dict[str, int], device: DeviceConfig) -> Fit:
    """Check every limit of hardware.md 3.3.

    Args:
        bits: weight bits by layer name; layers without weights may be left out.

    Raises:
        DeviceError: the first limit that is broken, with the layer, the excess and a remedy.
    """
    bits = {layer.name: bits.get(layer.name, 8) for layer in network}
    for layer in network:
        _check_layer(layer, bits[layer.name], device)
    _check_input(network.in_shape, device)
    sequence = hardware_sequence(network, device)
    count, copies = len(sequence.layers), len(sequence.layers) - len(network.layers)
    if count > device.max_layers:
        of_these = f" ({copies} of them copies for sums)" if copies else ""
        raise DeviceError(
            f"{network.name}: {count} layers{of_these}, {device.name} computes at most {device.max_layers}; "
            f"remove {count - device.max_layers}"
        )
    weight_bytes = sum(layer.weights * bits[layer.name] // 8 for layer in network)
    if weight_bytes > device.weight_bytes:
        heaviest = max(network, key=lambda layer: layer.weights * bits[layer.name])
        raise DeviceError(
            f"{network.name}: {weight_bytes:,} bytes of weights are {weight_bytes - device.weight_bytes:,} over "
            f"the {device.weight_bytes:,} of {device.name}; the largest layer is {heaviest.name} "
            f"({heaviest.weights:,} weights); lower model.width, its channels or quantization.weight_bits"
        )
    data_bytes = _check_data_memory(sequence, device)
    bias_bytes = _check_biases(network, device)
    memory = place(sequence, bits, device)
    verify(memory)
    return Fit(memory, weight_bytes, bias_bytes, data_bytes)


def _check_layer(layer: Layer, bits: int, device: DeviceConfig) -> None:
    def limit(value: int, allowed: int, what: str, remedy: str) -> None:
        if value > allowed:
            raise DeviceError(
                f"layer {layer.name}: {what} {value:,} is {value - allowed:,} over the {allowed:,} of "
                f"{device.name}; {remedy}"
            )

    channels, rows, cols = layer.in_shape
    limit(channels, device.max_channels, "input channels", "use fewer channels in the layer before")
    limit(layer.out_shape[0], device.max_channels, "output channels", "use fewer channels")
    size = max(rows, cols, *(n + 2 * layer.padding for n in layer.pooled_shape[1:]))
    limit(size, device.max_size, "rows or columns", "use smaller images")
    words = rows * cols * ceil(channels / device.processors)
    limit(words, MAX_MAP_WORDS - 1, "input words", "use smaller images")
    passes = ceil(channels / device.processors)
    even = channels == passes * processors_used(channels, device)
    if layer.has_weights and bits < 8 and not even:
        # The synthesizer shares bytes between kernels of a processor's passes and drops those of a missing one.
        raise DeviceError(
            f"layer {layer.name}: {channels} channels in {passes} passes cannot have {bits}-bit weights; make them "
            f"a multiple of {passes * device.instance_processors}, or use 8 bits"
        )
    if layer.flatten:
        # Counted in a field of 8 bits, which would spill into that of the weights' width (hardware.md 10.2, POST).
        _, rows, cols = layer.pooled_shape
        what = f"pixels times passes to flatten ({rows}x{cols}x{passes})"
        limit(rows * cols * passes, device.max_flatten_pixels, what, "pool in front of it")
        # The synthesizer deals out the inputs of a flattening layer evenly to passes and processors.
        if not even:
            raise DeviceError(
                f"layer {layer.name}: {channels} channels cannot be flattened in {passes} passes; "
                f"make them a multiple of {passes * device.instance_processors}"
            )
    if layer.op is Op.passthrough and layer.pool and layer.pooled_shape[1:] != (1, 1):
        remedy = "pool in front of a convolution instead"
        allowed = device.processors * device.passthrough_pool_passes
        limit(channels, allowed, "channels pooled by a passthrough layer", remedy)
    if layer.operands > 1:
        _check_sum(layer, device)


def _check_sum(layer: Layer, device: DeviceConfig) -> None:
    """Limits of element-wise operands, which share the steps of a layer with passes, pooling and operation."""
    allowed = MAX_OPERANDS_POOLED if layer.pool else MAX_OPERANDS
    if layer.operands > allowed:
        raise DeviceError(
            f"layer {layer.name}: {layer.operands} element-wise operands are {layer.operands - allowed} over the "
            f"{allowed} that {device.name} adds{' in front of a pooling' if layer.pool else ''}; add them in "
            "several layers"
        )
    if layer.flatten:
        # Accepted by the synthesizer, but what the flatten engine makes of interleaved operands is not known.
        raise DeviceError(
            f"layer {layer.name}: {device.name} cannot flatten a sum; add in a passthrough layer in front of it"
        )
    passes = ceil(layer.in_shape[0] / device.processors)
    bare = layer.op is Op.passthrough and layer.pool is None
    several = device.single_pass_sums and passes > 1 and (layer.operands, passes) != (2, 2)
    if several and not bare:
        raise DeviceError(
            f"layer {layer.name}: {device.name} has no pooling or operation behind a sum of {layer.operands} inputs "
            f"in {passes} passes; add in a passthrough layer in front of it"
        )
    if layer.biases and not device.sums_with_bias:
        plain = layer.batchnorm is BatchNorm.none
        raise DeviceError(
            f"layer {layer.name}: {device.name} adds no biases in a layer that sums its inputs; "
            f"{'set bias: false, or ' if plain else ''}add in a passthrough layer in front of it"
        )


def _check_input(shape: Shape, device: DeviceConfig) -> None:
    """The network's input alone: firmware loads all of it before the start, the channels of a pixel side by side."""
    channels, rows, cols = shape
    pixel_bytes, _ = tensor_bytes((channels, 1, 1), device)
    most = device.instance_bytes // pixel_bytes
    if rows * cols > most:
        raise DeviceError(
            f"input {_format(shape)}: its {rows * cols:,} pixels are {rows * cols - most:,} over the {most:,} of "
            f"{channels} channels that the data memory of {device.name} holds; use smaller images (streaming by the "
            "FIFO and inputs in CHW order, for larger ones, are not supported)"
        )


def _check_biases(network: Network, device: DeviceConfig) -> int:
    """With all quadrants in use; those of a memory map may be fewer."""
    found = place_biases(network, list(range(device.bias_groups)), device)
    if isinstance(found, Excess):
        layer = network.by_name[found.layer]
        over = max(network.biases - device.bias_groups * device.bias_group_bytes, found.amount)
        plain = layer.batchnorm is BatchNorm.none
        raise DeviceError(
            f"layer {layer.name}: its {layer.biases:,} biases do not fit; the network's {network.biases:,} are "
            f"{over:,} over {device.name}'s {device.bias_groups} bias memories of {device.bias_group_bytes:,} "
            f"bytes each; lower model.width or use fewer channels{', or set bias: false' if plain else ''}"
        )
    return network.biases


def _check_data_memory(sequence: Network, device: DeviceConfig) -> int:
    """Peak bytes of all live tensors; each instance must hold those that cannot lie beside each other."""
    shapes = tensor_shapes(sequence)
    total = device.processors // device.instance_processors
    blocks = data_blocks(sequence, device)
    instances = {block: tensor_bytes(shapes[block.tensors[0]], device)[1] for block in blocks}
    peak = 0
    for index, layer in enumerate(sequence):
        live = [block for block in blocks if block.alive(index)]
        peak = max(peak, sum(block.size * instances[block] for block in live))
        # Tensors on more than half of the instances meet in at least one, wherever they are placed.
        _check_instance(layer, [block for block in live if 2 * instances[block] > total], shapes, device)
        for tied in sequence.tied_tensors:
            _check_instance(layer, [block for block in live if block.tensors[0] in tied], shapes, device)
    return peak


def _check_instance(layer: Layer, blocks: list[Block], shapes: dict[str, Shape], device: DeviceConfig) -> None:
    size = sum(block.size for block in blocks)
    if size > device.instance_bytes:
        what = " and ".join(f"{name} ({_format(shapes[name])})" for block in blocks for name in block.tensors)
        raise DeviceError(
            f"layer {layer.name}: {what} take {size:,} bytes of a data memory instance, "
            f"{size - device.instance_bytes:,} over the {device.instance_bytes:,} of {device.name}; use smaller "
            "images, pool earlier or use fewer channels"
        )


def _format(shape: Shape) -> str:
    return "x".join(map(str, shape))
