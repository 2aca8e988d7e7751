"""Proof that a memory map loses nothing, by replaying it word by word.

It knows nothing of lifetimes and of how the map was found: it writes what each layer writes where the layer
writes it, and looks whether every layer finds what it must read.
"""

import numpy as np

from maxexp.base.errors import DeviceError
from maxexp.chip.memory.placement import MemoryMap
from maxexp.chip.memory.tensors import tensor_bytes, tensor_shapes
from maxexp.chip.part import WORD_BYTES
from maxexp.network.graph import INPUT
from maxexp.network.layer import Layer

EMPTY = -1


def verify(memory: MemoryMap) -> None:
    """Replays a map's writes to data memory and its kernels in weight memory.

    Raises:
        DeviceError: a layer would read other words than its inputs' producers wrote, a tensor does not fit, or
            kernels overlap. It would be a defect of the search.
    """
    _verify_data(memory)
    _verify_kernels(memory)


def _verify_data(memory: MemoryMap) -> None:
    part = memory.part
    words = np.full((part.processors.instances, part.memories.instance_words), EMPTY)
    contents = {INPUT: _contents(memory, INPUT, 0)}
    _write(memory, words, INPUT, contents[INPUT])
    for index, layer in enumerate(memory.network, start=1):
        # A layer reads and writes at once, so its output must leave its inputs alone.
        _check_read(memory, words, layer, contents)
        contents[layer.name] = _contents(memory, layer.name, index)
        _write(memory, words, layer.name, contents[layer.name])
        _check_read(memory, words, layer, contents)


def _contents(memory: MemoryMap, tensor: str, index: int) -> np.ndarray:
    """A number of its own for each word of a tensor in an instance."""
    wide = tensor != INPUT and memory.network.by_name[tensor].wide
    size, _ = tensor_bytes(tensor_shapes(memory.network)[tensor], memory.part, wide)
    count = size // WORD_BYTES
    return index * memory.part.memories.instance_bytes + np.arange(count)


def _write(memory: MemoryMap, words: np.ndarray, tensor: str, contents: np.ndarray) -> None:
    step = memory.write_gap[tensor] + 1
    where = memory.data_offset[tensor] // WORD_BYTES + step * np.arange(len(contents))
    if where[-1] >= words.shape[1] or memory.data_offset[tensor] % WORD_BYTES:
        raise DeviceError(f"memory map of {memory.network.name}: {tensor} does not fit its data memory instances")
    for instance in memory.instances(tensor):
        words[instance, where] = contents


def _check_read(memory: MemoryMap, words: np.ndarray, layer: Layer, contents: dict[str, np.ndarray]) -> None:
    """A layer reads from its first operand's offset on, one word of each operand in turn."""
    expected = np.stack([contents[name] for name in layer.inputs], axis=1).ravel()
    start = memory.data_offset[layer.inputs[0]] // WORD_BYTES
    for instance in memory.instances(layer.inputs[0]):
        if not np.array_equal(words[instance, start : start + len(expected)], expected):
            raise DeviceError(
                f"memory map of {memory.network.name}: layer {layer.name} does not find its inputs in data memory "
                f"instance {instance}"
            )


def _verify_kernels(memory: MemoryMap) -> None:
    part = memory.part
    taken = np.zeros((part.processors.count, part.memories.kernel_columns), dtype=bool)
    for name, offset in memory.kernel_offset.items():
        processors = memory.processors(memory.network.by_name[name].inputs[0])
        cells = taken[processors.start : processors.stop, offset : offset + memory.kernel_columns[name]]
        if cells.any() or cells.shape != (len(processors), memory.kernel_columns[name]):
            raise DeviceError(f"memory map of {memory.network.name}: the kernels of {name} overlap others")
        cells[:] = True
