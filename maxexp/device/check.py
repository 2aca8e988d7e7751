"""Whether a network fits a device, decided before any training and without heavy imports."""

from dataclasses import dataclass
from math import ceil, prod

from maxexp.device.config import DeviceConfig
from maxexp.device.cycles import processors_used
from maxexp.device.kernels import KernelMap, place_kernels
from maxexp.errors import DeviceError
from maxexp.network.config import Op, Pool
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
    data_bytes = _check_data_memory(network, device)
    bias_bytes = _check_biases(network, device)
    weight_bytes = sum(layer.weights * bits[layer.name] // 8 for layer in network)
    if weight_bytes > device.weight_bytes:
        heaviest = max(network, key=lambda layer: layer.weights * bits[layer.name])
        raise DeviceError(
            f"{network.name}: {weight_bytes:,} bytes of weights are {weight_bytes - device.weight_bytes:,} over "
            f"the {device.weight_bytes:,} of {device.name}; the largest layer is {heaviest.name} "
            f"({heaviest.weights:,} weights); lower model.width, its channels or quantization.weight_bits"
        )
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
    pooled_sum = layer.operands > 1 and layer.pool is not None
    operands = MAX_OPERANDS_POOLED if pooled_sum else MAX_OPERANDS
    limit(layer.operands, operands, "element-wise operands", "add them in several layers")
    if layer.op is Op.passthrough and layer.pool and layer.pooled_shape[1:] != (1, 1):
        remedy = "pool in front of a convolution instead"
        limit(channels, device.processors, "channels pooled by a passthrough layer", remedy)


def _check_biases(network: Network, device: DeviceConfig) -> int:
    """First fit of decreasing bias counts in the quadrants' memories, flattening layers first (3.3)."""
    free = [device.bias_group_bytes] * device.bias_groups
    layers = sorted((x for x in network if x.biases), key=lambda x: (not x.flatten, -x.biases))
    for layer in layers:
        group = max(range(device.bias_groups), key=lambda g: free[g])
        if layer.biases > free[group]:
            raise DeviceError(
                f"layer {layer.name}: its {layer.biases:,} biases are {layer.biases - free[group]:,} over what is "
                f"left in {device.name}'s {device.bias_groups} bias memories of {device.bias_group_bytes:,} bytes; "
                "set bias: false or use fewer output channels"
            )
        free[group] -= layer.biases
    return network.biases


def _check_data_memory(network: Network, device: DeviceConfig) -> int:
    """Peak bytes of all live tensors; each instance must hold those that cannot lie beside each other."""
    shapes = {INPUT: network.in_shape, **{x.name: x.out_shape for x in network}}
    peak = 0
    instances = device.processors // device.instance_processors
    for index, layer in enumerate(network):
        live = [
            t for t, last in network.last_use.items() if last >= index and _written_before(network, t, index)
        ]
        sizes = [(name, *tensor_bytes(shapes[name], device)) for name in live]
        sizes.append((layer.name, *tensor_bytes(layer.out_shape, device, layer.wide)))
        peak = max(peak, sum(size * count for _, size, count in sizes))
        for name, size, _ in sizes:
            _check_instance(layer, f"{name} of {_format(shapes[name])}", size, device)
        # Tensors that need more than half of the instances overlap in at least one, whatever the placement.
        crowded = [size for _, size, count in sizes if 2 * count > instances]
        maps = " and ".join(_format(shapes[name]) for name, _, count in sizes if 2 * count > instances)
        _check_instance(layer, f"{maps} at the same time", sum(crowded), device)
    return peak


def _written_before(network: Network, tensor: str, index: int) -> bool:
    return tensor == INPUT or network.layers.index(network.by_name[tensor]) < index


def _check_instance(layer: Layer, what: str, size: int, device: DeviceConfig) -> None:
    if size > device.instance_bytes:
        pooling = "" if layer.pool is Pool.max else ", pool earlier"
        raise DeviceError(
            f"layer {layer.name}: {what} take {size:,} bytes of a data memory instance, "
            f"{size - device.instance_bytes:,} over the {device.instance_bytes:,} of {device.name}; use smaller "
            f"images{pooling} or fewer channels"
        )


def _format(shape: Shape) -> str:
    return "x".join(map(str, shape))
