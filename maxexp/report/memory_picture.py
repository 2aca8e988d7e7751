"""A memory map as a picture."""

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from maxexp.device.placement import MemoryMap
from maxexp.network.graph import INPUT

LONGEST_LABELLED = 40
"""Layers that have room for a name of their own."""
NAMED = 1 / 64
"""Share of the weight memory's columns from which on kernels have room for their name."""
INPUT_COLOR = (0.75, 0.75, 0.75, 1.0)


def memory_picture(memory: MemoryMap) -> Figure:
    """Data memory over the layers on the left, kernel columns of all processors on the right.

    A layer's kernels and its output have the same colour; the network's input is grey.
    """
    layers = memory.network.layers
    figure = Figure(figsize=(max(12, 6 + 0.35 * len(layers)), 7), layout="constrained")
    data, kernels = figure.subplots(1, 2)
    _draw_data(data, memory)
    _draw_kernels(kernels, memory)
    figure.suptitle(f"{memory.network.name} on {memory.device.name}: {memory.cycles:,} cycles")
    return figure


def _color(memory: MemoryMap, index: int) -> tuple[float, float, float, float]:
    """Of a layer, pale enough for a name in black; -1 stands for the network's input."""
    if index < 0:
        return INPUT_COLOR
    red, green, blue, _ = colormaps["turbo"]((index + 0.5) / len(memory.network.layers))
    return (red + 1) / 2, (green + 1) / 2, (blue + 1) / 2, 1.0


def _draw_data(axes: Axes, memory: MemoryMap) -> None:
    """One strip for each instance; x is the layer that is computed."""
    device, names = memory.device, list(memory.network.by_name)
    instances = device.processors // device.instance_processors
    top = max(memory.data_offset[block.tensors[0]] + block.size for block in memory.blocks)
    for block in memory.blocks:
        bottom = memory.data_offset[block.tensors[0]] / top
        for instance in memory.instances(block.tensors[0]):
            corner = (block.first - 0.5, instance + bottom)
            size = (block.last - block.first + 1, block.size / top)
            axes.add_patch(Rectangle(corner, *size, fc=_color(memory, block.first), ec="black", lw=0.4))
    axes.hlines(range(instances + 1), -1.5, len(names) - 0.5, color="0.7", lw=0.5)
    axes.set(xlim=(-1.5, len(names) - 0.5), ylim=(instances, 0), title="data memory, as the layers are computed")
    axes.set_ylabel(f"instance, each up to byte {top:,} of {device.instance_bytes:,}")
    axes.set_yticks([i + 0.5 for i in range(instances)], [str(i) for i in range(instances)])
    labels = names if len(names) <= LONGEST_LABELLED else [str(i) for i in range(len(names))]
    axes.set_xticks(range(-1, len(names)), [INPUT, *labels], rotation=90)


def _draw_kernels(axes: Axes, memory: MemoryMap) -> None:
    """One row for each processor; the name stands where there is room."""
    device = memory.device
    for index, layer in enumerate(memory.network):
        columns = memory.kernel_columns[layer.name]
        if not columns:
            continue
        offset, processors = memory.kernel_offset[layer.name], memory.processors(layer.inputs[0])
        shape = Rectangle((offset, processors.start), columns, len(processors), ec="black", lw=0.4)
        shape.set_facecolor(_color(memory, index))
        axes.add_patch(shape)
        center = (offset + columns / 2, processors.start + len(processors) / 2)
        upright = columns / device.kernel_columns < len(processors) / device.processors
        if columns >= NAMED * device.kernel_columns:
            axes.annotate(layer.name, center, ha="center", va="center", rotation=90 if upright else 0, fontsize=8)
    axes.set(xlim=(0, device.kernel_columns), ylim=(device.processors, 0), title="weight memory")
    axes.set(xlabel="column of 9 bytes", ylabel="processor")
    axes.set_yticks(range(0, device.processors + 1, device.processors // device.bias_groups))
