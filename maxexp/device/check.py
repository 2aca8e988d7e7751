"""Whether a network fits a device, decided before any training and without heavy imports."""

from dataclasses import dataclass
from math import ceil, prod

from maxexp.device.config import DeviceConfig
from maxexp.device.cycles import processors_used
from maxexp.device.kernels import KernelMap, place_kernels
from maxexp.errors import DeviceError
from maxexp.network.config import BatchNorm, Op
from maxexp.network.graph import INPUT, Layer, Network, Shape

MAX_OPERANDS = 16
MAX_OPERANDS_POOLED = 2
MAX_FLATTEN = 16384
MAX_MAP_WORDS = 2**21


@dataclass(frozen=True)
class Fit:
    """What a network that fits occupies.

    Attributes:
        kernels: placement in weight memory.
        weight_bytes: all weights at their bit widths, as the synthesizer counts them.
        bias_bytes: one byte per bias.
        data_bytes: peak of the data memory in use, over all instances, at any layer.
    """

    kernels: KernelMap
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
    if len(network.layers) > device.max_layers:
        raise DeviceError(
            f"{network.name}: {len(network.layers)} layers, {device.name} computes at most "
            f"{device.max_layers}; remove {len(network.layers) - device.max_layers}"
        )
    bits = {layer.name: bits.get(layer.name, 8) for layer in network}
    for layer in network:
        _check_layer(layer, device)
    weight_bytes = sum(layer.weights * bits[layer.name] // 8 for layer in network)
    if weight_bytes > device.weight_bytes:
        heaviest = max(network, key=lambda layer: layer.weights * bits[layer.name])
        raise DeviceError(
            f"{network.name}: {weight_bytes:,} bytes of weights are {weight_bytes - device.weight_bytes:,} over "
            f"the {device.weight_bytes:,} of {device.name}; the largest layer is {heaviest.name} "
            f"({heaviest.weights:,} weights); lower model.width, its channels or quantization.weight_bits"
        )
    data_bytes = _check_data_memory(network, device)
    bias_bytes = _check_biases(network, device)
    kernels = place_kernels(network, bits, device)
    return Fit(kernels, weight_bytes, bias_bytes, data_bytes)


def tensor_bytes(shape: Shape, device: DeviceConfig, wide: bool = False) -> tuple[int, int]:
    """Bytes that a (C, H, W) tensor takes in each data memory instance, and the number of instances."""
    channels, rows, cols = shape
    passes = ceil(channels / device.processors)
    instances = ceil(processors_used(channels, device) / device.instance_processors)
    return device.instance_processors * rows * cols * passes * (4 if wide else 1), instances


def _check_layer(layer: Layer, device: DeviceConfig) -> None:
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
    if layer.flatten:
        pixels = layer.pooled_shape[1] * layer.pooled_shape[2]
        remedy = "pool in front of it"
        limit(pixels, device.max_flatten_pixels, "pixels to flatten", remedy)
        limit(prod(layer.pooled_shape), MAX_FLATTEN, "inputs of the linear layer", remedy)
        # The synthesizer deals out the inputs of a flattening layer evenly to passes and processors.
        passes = ceil(channels / device.processors)
        if channels != passes * processors_used(channels, device):
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
    passes = ceil(layer.in_shape[0] / device.processors)
    bare = layer.op is Op.passthrough and layer.pool is None
    several = device.single_pass_sums and passes > 1 and (layer.operands, passes) != (2, 2)
    if (several and not bare) or (layer.biases and not device.sums_with_bias):
        what = f"of {layer.operands} inputs in {passes} passes" if several and not bare else "with bias"
        raise DeviceError(
            f"layer {layer.name}: {device.name} has no pooling or operation behind a sum {what}; add in a "
            "passthrough layer in front of it"
        )


def _check_biases(network: Network, device: DeviceConfig) -> int:
    """First fit of decreasing bias counts in the quadrants' memories, flattening layers first (3.3)."""
    free = [device.bias_group_bytes] * device.bias_groups
    layers = sorted((x for x in network if x.biases), key=lambda x: (not x.flatten, not x.flatten and -x.biases))
    for layer in layers:
        group = max(range(device.bias_groups), key=lambda g: free[g])
        if layer.biases > free[group]:
            whole = device.bias_groups * device.bias_group_bytes
            over = max(network.biases - whole, layer.biases - free[group])
            plain = layer.batchnorm is BatchNorm.none
            raise DeviceError(
                f"layer {layer.name}: its {layer.biases:,} biases do not fit; the network's {network.biases:,} are "
                f"{over:,} over {device.name}'s {device.bias_groups} bias memories of {device.bias_group_bytes:,} "
                f"bytes each; lower model.width or use fewer channels{', or set bias: false' if plain else ''}"
            )
        free[group] -= layer.biases
    return network.biases


def _check_data_memory(network: Network, device: DeviceConfig) -> int:
    """Peak bytes of all live tensors; each instance must hold those that cannot lie beside each other."""
    shapes = {INPUT: network.in_shape, **{x.name: x.out_shape for x in network}}
    instances = device.processors // device.instance_processors
    peak = 0
    written = [INPUT]
    for index, layer in enumerate(network):
        live = [name for name in written if network.last_use[name] >= index]
        size = {name: tensor_bytes(shapes[name], device) for name in live}
        size[layer.name] = tensor_bytes(layer.out_shape, device, layer.wide)
        peak = max(peak, sum(bytes_each * count for bytes_each, count in size.values()))
        # Tensors on more than half of the instances meet in at least one, wherever they are placed.
        crowded = [name for name, (_, count) in size.items() if 2 * count > instances]
        for together in (*network.tied_tensors, crowded):
            names = [name for name in together if name in size]
            what = " and ".join(f"{name} ({_format(shapes[name])})" for name in names)
            _check_instance(layer, what, sum(size[name][0] for name in names), device)
        written.append(layer.name)
    return peak


def _check_instance(layer: Layer, what: str, size: int, device: DeviceConfig) -> None:
    if size > device.instance_bytes:
        raise DeviceError(
            f"layer {layer.name}: {what} take {size:,} bytes of a data memory instance, "
            f"{size - device.instance_bytes:,} over the {device.instance_bytes:,} of {device.name}; use smaller "
            "images, pool earlier or use fewer channels"
        )


def _format(shape: Shape) -> str:
    return "x".join(map(str, shape))
