"""A network with all shapes resolved: the one source of weights, MACs, module, map and cycles."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

from maxexp.base.errors import NetworkError
from maxexp.network.config import Eltwise, LayerConfig, NetworkConfig
from maxexp.network.layer import Layer, resolve_layer
from maxexp.network.operation import refuse
from maxexp.network.sizes import Shape

INPUT = "input"
"""Name by which a layer refers to the network's input."""

_RESERVED = """
    input layers module network
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
    eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict
    modules mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
"""
RESERVED_NAMES = frozenset(_RESERVED.split())
"""Names that are taken: attributes of the torch module, whose children the layers become, and our own words.

Written out, for torch takes a second to import, and a network shall be refused at once."""


@dataclass(frozen=True)
class Network:
    """Layers in order of execution, of a network with input ``in_shape`` (C, H, W)."""

    name: str
    in_shape: Shape
    layers: tuple[Layer, ...]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @property
    def out_features(self) -> int:
        return prod(self.layers[-1].out_shape)

    @cached_property
    def by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def last_use(self) -> dict[str, int]:
        """Returns the index of the last layer that reads each tensor; a tensor can be dropped after it."""
        return {name: index for index, layer in enumerate(self.layers) for name in layer.inputs}

    @cached_property
    def tied_tensors(self) -> list[list[str]]:
        """Groups of tensors that share processors and scale: operands of one sum, ends of a passthrough."""
        group_of = {name: [name] for name in (INPUT, *self.by_name)}
        for layer in self.layers:
            together = list(layer.inputs) if layer.has_weights else [*layer.inputs, layer.name]
            for other in together[1:]:
                left, right = group_of[together[0]], group_of[other]
                if left is not right:
                    left.extend(right)
                    group_of.update(dict.fromkeys(right, left))
        return list({id(group): group for group in group_of.values()}.values())

    @property
    def weights(self) -> int:
        return sum(layer.weights for layer in self.layers)

    @property
    def biases(self) -> int:
        return sum(layer.biases for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def ops(self) -> int:
        return sum(layer.ops for layer in self.layers)


def build_network(config: NetworkConfig, in_shape: Shape) -> Network:
    """Resolves the shapes of a description for inputs of ``in_shape``.

    Raises:
        NetworkError: an entry is meaningless or not supported; the message names its key.
    """
    shapes: dict[str, Shape] = {INPUT: in_shape}
    layers: list[Layer] = []
    names = list(config.layers)
    for name, entry in config.layers.items():
        last = name == names[-1]
        _check_name(name)
        _check_inputs(name, entry)
        inputs = tuple(entry.inputs or [layers[-1].name if layers else INPUT])
        shape = _operand_shape(name, inputs, shapes)
        width = 1.0 if last else config.width
        layer = resolve_layer(name, entry, inputs, shape, last, width)
        shapes[name] = layer.out_shape
        layers.append(layer)
    network = Network(config.name, in_shape, tuple(layers))
    for name in names[:-1]:
        if name not in network.last_use:
            refuse(name, ": no later layer reads it; name it in some layer's inputs")
    if not network.weights:
        raise NetworkError("model.layers: all are passthrough; a network needs a layer with weights")
    return network


def _check_name(name: str) -> None:
    if not name.isidentifier() or name.startswith("_") or name in RESERVED_NAMES:
        letters = re.sub(r"\W+", "_", name).strip("_")
        better = letters if letters.isidentifier() else f"layer_{letters}".rstrip("_")
        free = f"{better}_1" if better in RESERVED_NAMES or better == name else better
        refuse(name, f": '{name}' cannot be a layer's name: letters, digits and _ make one; write {free}, say")


def _check_inputs(name: str, entry: LayerConfig) -> None:
    if entry.eltwise is Eltwise.sub:
        refuse(name, ".eltwise=sub: not supported yet; use add")
    inputs = entry.inputs or []
    if len(inputs) > 1 and entry.eltwise is None:
        refuse(name, f".inputs has {len(inputs)} entries: add eltwise: add (concatenation is not supported yet)")
    if entry.eltwise is not None and len(inputs) < 2:
        refuse(name, f".eltwise={entry.eltwise.name}: needs at least two inputs")
    for operand in inputs:
        if inputs.count(operand) > 1:
            refuse(name, f".inputs: {operand} is there twice; name each layer once")


def _operand_shape(name: str, inputs: tuple[str, ...], shapes: dict[str, Shape]) -> Shape:
    for operand in inputs:
        if operand not in shapes:
            refuse(name, f".inputs: '{operand}' is not an earlier layer (there are: {', '.join(shapes)})")
        if shapes[operand] != shapes[inputs[0]]:
            first, other = shapes[inputs[0]], shapes[operand]
            refuse(name, f".inputs: {operand} is {other}, {inputs[0]} is {first}; must be equal")
    return shapes[inputs[0]]
