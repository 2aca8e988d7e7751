"""The network YAML of ai8x-synthesis, written from a memory map (docs/hardware.md, The maker's synthesizer).

Every key that has a default is written out, for several defaults depend on other layers. Layers refer to one
another by their position, since the synthesizer's names know no case and reserve words.
"""

import json

from maxexp.chip.memory.placement import MemoryMap
from maxexp.chip.operations import CHIP_OPERATIONS
from maxexp.chip.part import Part
from maxexp.chip.pooling import common_stride
from maxexp.network.config import Activation, Pool
from maxexp.network.graph import INPUT
from maxexp.network.layer import Layer

ACTIVATIONS = {Activation.relu: "ReLU", Activation.abs: "Abs", Activation.none: "None"}
POOLS = {Pool.max: "max_pool", Pool.avg: "avg_pool"}


def network_yaml(memory: MemoryMap, bits: dict[str, int], dataset: str) -> str:
    """The YAML file.

    Args:
        bits: weight bits by name of each layer with weights.
        dataset: goes into the file; the synthesizer only uses it to look for a sample.
    """
    name = memory.network.name
    # For "test", spelt so, the synthesizer would take weights of its own; names are compared without case.
    name = name.upper() if name == "test" else name
    lines = ["---", f"arch: {json.dumps(name)}", f"dataset: {json.dumps(dataset)}", "", "layers:"]
    for index, layer in enumerate(memory.network):
        keys = _layer_keys(memory, layer, index, bits)
        first, *others = [f"{key}: {value}" for key, value in keys.items()]
        lines += [f"  # {index}: {layer.name}", f"  - {first}", *(f"    {line}" for line in others), ""]
    return "\n".join(lines)


def mask(processors: range, part: Part) -> str:
    """A bit for each processor of the part, in hexadecimal."""
    return f"0x{sum(1 << p for p in processors):0{part.processors.count // 4}x}"


def _layer_keys(memory: MemoryMap, layer: Layer, index: int, bits: dict[str, int]) -> dict[str, object]:
    network = memory.network
    keys: dict[str, object] = {
        "processors": mask(memory.processors(layer.inputs[0]), memory.part),
        "output_processors": mask(memory.processors(layer.name), memory.part),
        "in_offset": f"0x{memory.data_offset[layer.inputs[0]]:04x}",
        "out_offset": f"0x{memory.data_offset[layer.name]:04x}",
        **CHIP_OPERATIONS[layer.op].words(layer),
    }
    if index == 0:
        keys["data_format"] = "HWC"
    positions = {INPUT: -1} | {name: position for position, name in enumerate(network.by_name)}
    sources = [positions[name] for name in layer.inputs]
    if sources != [index - 1]:
        keys["in_sequences"] = sources
    if layer.in_size is not None:
        keys["in_dim"] = list(layer.in_size)
    if layer.operands > 1:
        keys |= {"eltwise": "add", "operands": layer.operands}
    if memory.write_gap[layer.name]:
        keys["write_gap"] = memory.write_gap[layer.name]
    if layer.pool:
        high, wide = layer.pool_size
        keys |= {POOLS[layer.pool]: high if high == wide else [high, wide], "pool_stride": common_stride(layer)}
        if layer.operands > 1:
            keys["pool_first"] = "false"
    if layer.has_weights:
        keys |= {"quantization": bits[layer.name], "activate": ACTIVATIONS[layer.activation]}
    if layer.wide:
        keys["output_width"] = 32
    return keys
