"""A memory map as a picture."""

from math import ceil

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from maxexp.device.placement import MemoryMap
from maxexp.network.graph import INPUT

FONT_SIZE = 8
LEGEND_ROWS = 40
ROTATIONS = (0, 90)
"""Degrees in which a name is tried within its rectangle."""

Color = tuple[float, float, float, float]
Named = tuple[str, Color, Rectangle]
"""What a rectangle stands for, and its colour."""


def memory_picture(memory: MemoryMap) -> Figure:
    """Data memory over the layers on the left, kernel columns of all processors on the right.

    A tensor has the colour of the layer that reads it first, and so have that layer's kernels; its name, with an
    arrow, is that of the layer it comes from.
    """
    layers = memory.network.layers
    figure = Figure(figsize=(max(13, 8 + 0.35 * len(layers)), 7.5), layout="constrained")
    data, kernels = figure.subplots(1, 2)
    tensors, weights = _draw_data(data, memory), _draw_kernels(kernels, memory)
    patches = [Patch(fc=_color(memory, index), label=layer.name) for index, layer in enumerate(layers)]
    columns = ceil(len(layers) / LEGEND_ROWS)
    title = "layer: its input\nand its kernels"
    figure.legend(handles=patches, title=title, loc="outside right center", ncols=columns, fontsize=FONT_SIZE)
    figure.suptitle(f"{memory.network.name} on {memory.device.name}: {memory.cycles:,} cycles")
    # Only now are sizes known.
    figure.draw_without_rendering()
    for axes, names in ((data, tensors), (kernels, weights)):
        for name, color, shape in names:
            _write(axes, name, color, shape)
    return figure


def _color(memory: MemoryMap, index: int) -> Color:
    return colormaps["turbo"]((index + 0.5) / len(memory.network.layers))


def _draw_data(axes: Axes, memory: MemoryMap) -> list[Named]:
    """One strip for each instance, x is the layer that is computed; returns where tensors can be named."""
    device, names = memory.device, list(memory.network.by_name)
    instances = device.processors // device.instance_processors
    top = max(memory.data_offset[block.tensors[0]] + block.size for block in memory.blocks)
    found = []
    for block in memory.blocks:
        reader = next(
            (i for i, layer in enumerate(memory.network) if block.tensors[0] in layer.inputs), len(names) - 1
        )
        bottom, color = memory.data_offset[block.tensors[0]] / top, _color(memory, reader)
        for instance in memory.instances(block.tensors[0]):
            corner = (block.first - 0.5, instance + bottom)
            size = (block.last - block.first + 1, block.size / top)
            shape = Rectangle(corner, *size, fc=color, ec="black", lw=0.4)
            found.append((f"{', '.join(block.tensors)} →", color, shape))
            axes.add_patch(shape)
    axes.hlines(range(instances + 1), -1.5, len(names) - 0.5, color="0.7", lw=0.5)
    axes.set(xlim=(-1.5, len(names) - 0.5), ylim=(0, instances), title="data memory, as the layers are computed")
    axes.set_ylabel(f"instance, each up to byte {top:,} of {device.instance_bytes:,}")
    axes.set_yticks([i + 0.5 for i in range(instances)], [str(i) for i in range(instances)])
    axes.set_xticks(range(-1, len(names)), [INPUT, *names], rotation=90)
    return found


def _draw_kernels(axes: Axes, memory: MemoryMap) -> list[Named]:
    """One row for each processor; returns where layers can be named."""
    device = memory.device
    found = []
    for index, layer in enumerate(memory.network):
        columns = memory.kernel_columns[layer.name]
        if not columns:
            continue
        processors, color = memory.processors(layer.inputs[0]), _color(memory, index)
        corner = memory.kernel_offset[layer.name], processors.start
        shape = Rectangle(corner, columns, len(processors), fc=color, ec="black", lw=0.4)
        found.append((layer.name, color, shape))
        axes.add_patch(shape)
    axes.set(xlim=(0, device.kernel_columns), ylim=(0, device.processors), title="weight memory")
    axes.set(xlabel="column of 72 bits", ylabel="processor")
    axes.set_yticks(range(0, device.processors + 1, device.processors // device.bias_groups))
    return found


def _write(axes: Axes, name: str, background: Color, shape: Rectangle) -> None:
    """Write a name into a rectangle, as it fits; nothing where it does not."""
    space = shape.get_window_extent()
    red, green, blue, _ = background
    color = "white" if 0.2 * red + 0.7 * green + 0.1 * blue < 0.4 else "black"
    x, y = shape.get_center()
    text = axes.annotate(name, (x, y), ha="center", va="center", fontsize=FONT_SIZE, color=color)
    for rotation in ROTATIONS:
        text.set_rotation(rotation)
        size = text.get_window_extent()
        if size.width <= space.width and size.height <= space.height:
            return
    text.remove()
