"""A memory map as a picture."""

from math import ceil

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from maxexp.base.languages.picture_text import picture_text
from maxexp.chip.memory.placement import MemoryMap
from maxexp.network.graph import INPUT
from maxexp.report.figures.layer_colors import INPUT_COLOR, layer_color

FONT_SIZE = 8
LEGEND_ROWS = 40
ROTATIONS = (0, 90)
"""Degrees in which a name is tried within its rectangle."""

Named = tuple[str, Rectangle]
"""A rectangle, and what it stands for."""


def memory_picture(memory: MemoryMap) -> Figure:
    """Draws the data memory over the layers on the left, the kernel columns of all processors on the right.

    A tensor has the colour and the name of the layer that writes it, whose kernels have that colour too. Processors
    and instances are counted from the top.
    """
    layers = memory.network.layers
    figure = Figure(figsize=(max(13, 8 + 0.35 * len(layers)), 7.5), layout="constrained")
    data, kernels = figure.subplots(1, 2)
    tensors, weights = _draw_data(data, memory), _draw_kernels(kernels, memory)
    patches = [Patch(fc=layer_color(index), label=picture_text(layer.name)) for index, layer in enumerate(layers)]
    columns = ceil(len(layers) / LEGEND_ROWS)
    title = "layer: its output\nand its kernels"
    figure.legend(handles=patches, title=title, loc="outside right center", ncols=columns, fontsize=FONT_SIZE)
    title = f"{memory.network.name} on {memory.part.name}: {memory.cycles:,} cycles"
    figure.suptitle(picture_text(title))
    # Only now are sizes known.
    figure.draw_without_rendering()
    for axes, names in ((data, tensors), (kernels, weights)):
        for name, shape in names:
            _write(axes, name, shape)
    return figure


def _draw_data(axes: Axes, memory: MemoryMap) -> list[Named]:
    """One strip for each instance, x is the layer that is computed; returns where tensors can be named."""
    names, instances = list(memory.network.by_name), memory.part.processors.instances
    top = max(memory.data_offset[block.tensors[0]] + block.size for block in memory.blocks)
    found = []
    for block in memory.blocks:
        color = INPUT_COLOR if block.first < 0 else layer_color(block.first)
        for instance in memory.instances(block.tensors[0]):
            corner = (block.first - 0.5, instance + memory.data_offset[block.tensors[0]] / top)
            size = (block.last - block.first + 1, block.size / top)
            shape = Rectangle(corner, *size, fc=color, ec="black", lw=0.4)
            found.append((", ".join(block.tensors), shape))
            axes.add_patch(shape)
    axes.hlines(range(instances + 1), -1.5, len(names) - 0.5, color="0.7", lw=0.5)
    axes.set(xlim=(-1.5, len(names) - 0.5), ylim=(instances, 0), title="data memory, as the layers are computed")
    axes.set_ylabel(f"instance, each up to byte {top:,} of {memory.part.memories.instance_bytes:,}")
    axes.set_yticks([i + 0.5 for i in range(instances)], [str(i) for i in range(instances)])
    axes.set_xticks(range(-1, len(names)), map(picture_text, [INPUT, *names]), rotation=90)
    return found


def _draw_kernels(axes: Axes, memory: MemoryMap) -> list[Named]:
    """One row for each processor; returns where layers can be named."""
    part = memory.part
    found = []
    for index, layer in enumerate(memory.network):
        columns = memory.kernel_columns[layer.name]
        if not columns:
            continue
        processors = memory.processors(layer.inputs[0])
        corner = memory.kernel_offset[layer.name], processors.start
        shape = Rectangle(corner, columns, len(processors), fc=layer_color(index), ec="black", lw=0.4)
        found.append((layer.name, shape))
        axes.add_patch(shape)
    axes.set(xlim=(0, part.memories.kernel_columns), ylim=(part.processors.count, 0), title="weight memory")
    axes.set(xlabel="column of 72 bits", ylabel="processor")
    axes.set_yticks(range(0, part.processors.count + 1, part.processors.per_quadrant))
    return found


def _write(axes: Axes, name: str, shape: Rectangle) -> None:
    """Writes a name into a rectangle, as it fits; nothing where it does not."""
    space = shape.get_window_extent()
    x, y = shape.get_center()
    text = axes.annotate(picture_text(name), (x, y), ha="center", va="center", fontsize=FONT_SIZE, color="black")
    for rotation in ROTATIONS:
        text.set_rotation(rotation)
        size = text.get_window_extent()
        if size.width <= space.width and size.height <= space.height:
            return
    text.remove()
