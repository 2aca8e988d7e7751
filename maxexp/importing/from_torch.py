"""Modules of torch as graphs of steps, by ``torch.fx``; ai8x-training's layers are read as a whole."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from maxexp.base.errors import NetworkError
from maxexp.importing.steps import (
    INPUT,
    Activate,
    Clip,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Graph,
    Operation,
    Pooling,
    Scaling,
    Step,
    Sum,
    Unknown,
)
from maxexp.network.sizes import Size

_ACTIVATIONS: dict[Any, str] = {
    nn.ReLU: "relu", F.relu: "relu", torch.relu: "relu", torch.relu_: "relu", "relu": "relu", "relu_": "relu",
    torch.abs: "abs", torch.abs_: "abs", "abs": "abs", "abs_": "abs",
    nn.ReLU6: "relu6", F.relu6: "relu6", nn.LeakyReLU: "leaky_relu", F.leaky_relu: "leaky_relu",
    nn.PReLU: "prelu", nn.ELU: "elu", F.elu: "elu", nn.GELU: "gelu", F.gelu: "gelu", nn.SiLU: "silu", F.silu: "silu",
    nn.Hardswish: "hardswish", F.hardswish: "hardswish", nn.Mish: "mish", F.mish: "mish",
    nn.Softplus: "softplus", F.softplus: "softplus",
    nn.Sigmoid: "sigmoid", torch.sigmoid: "sigmoid", "sigmoid": "sigmoid", nn.Tanh: "tanh", torch.tanh: "tanh",
    "tanh": "tanh", nn.Softmax: "softmax", F.softmax: "softmax", torch.softmax: "softmax", "softmax": "softmax",
    nn.LogSoftmax: "log_softmax", F.log_softmax: "log_softmax", "log_softmax": "log_softmax",
}  # fmt: skip
_NOTHING = (nn.Identity, "contiguous", "clone", "detach", "float")
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, F.dropout, F.dropout1d, F.dropout2d)
_SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")
_FACTORS = (operator.mul, operator.imul, torch.mul, "mul", "mul_")
_QUOTIENTS = (operator.truediv, torch.div, "div", "div_")
_FLATTENS = (nn.Flatten, torch.flatten, "flatten", "view", "reshape", torch.reshape, "squeeze", torch.squeeze)
_CLAMPS = (nn.Hardtanh, F.hardtanh, torch.clamp, "clamp", "clamp_", "clip")
_POOLS = {
    nn.MaxPool1d: "max", nn.MaxPool2d: "max", nn.AvgPool1d: "avg", nn.AvgPool2d: "avg",
    F.max_pool1d: "max", F.max_pool2d: "max", F.avg_pool1d: "avg", F.avg_pool2d: "avg",
}  # fmt: skip
_WHOLE_POOLS = {
    nn.AdaptiveAvgPool1d: "avg", nn.AdaptiveAvgPool2d: "avg",
    nn.AdaptiveMaxPool1d: "max", nn.AdaptiveMaxPool2d: "max",
    F.adaptive_avg_pool1d: "avg", F.adaptive_avg_pool2d: "avg",
    F.adaptive_max_pool1d: "max", F.adaptive_max_pool2d: "max",
}  # fmt: skip


def torch_graph(module: nn.Module) -> Graph:
    """Returns the steps of a module that reads one tensor and gives one.

    Raises:
        NetworkError: it cannot be traced, as with control flow that depends on values.
    """
    tracer = _Tracer()
    try:
        traced = tracer.trace(module.eval())
    except Exception as error:  # whatever the module's own code raises when it gets no tensor
        raise NetworkError(
            f"{type(module).__name__}: torch.fx cannot trace it ({str(error).splitlines()[0]}); take control flow "
            "that depends on values out of forward()"
        ) from error
    return _Reader(module, traced).graph


class _Tracer(fx.Tracer):
    """Keeps the layers of ai8x-training whole, as those of torch."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return _is_fused(m) or _is_fused_sum(m) or super().is_leaf_module(m, module_qualified_name)


def _is_fused(module: nn.Module) -> bool:
    """Tells whether it is a layer of ai8x-training: pooling, operation, batch norm and activation in one."""
    return all(hasattr(module, key) for key in ("pool", "op", "bn", "activate", "wide", "output_shift"))


def _is_fused_sum(module: nn.Module) -> bool:
    return getattr(module, "f", None) is torch.add and hasattr(module, "clamp")


class _Reader:
    """Reads the nodes of a traced module."""

    def __init__(self, module: nn.Module, traced: fx.Graph) -> None:
        self.graph = Graph()
        self._module = module
        self._names: dict[fx.Node, str] = {}
        self._constants: dict[fx.Node, Any] = {}
        inputs = [node for node in traced.nodes if node.op == "placeholder" and node.users]
        if len(inputs) != 1:
            raise NetworkError(f"{type(module).__name__}: reads {len(inputs)} tensors; the chip's networks read one")
        for node in traced.nodes:
            self._read(node, inputs[0])

    def _read(self, node: fx.Node, first: fx.Node) -> None:
        if node is first:
            self._names[node] = INPUT
        elif node.op == "get_attr":
            self._constants[node] = operator.attrgetter(str(node.target))(self._module)
        elif node.op == "output":
            (given,) = node.args
            if not isinstance(given, fx.Node):
                raise NetworkError(
                    f"{type(self._module).__name__}: gives several tensors; the chip's networks give one"
                )
        elif node.op == "call_module":
            module = self._module.get_submodule(str(node.target))
            self._add_all(node, str(node.target), self._of_module(module, node))
        elif node.op in ("call_function", "call_method") and not self._is_shape(node):
            self._add_all(node, node.name, [self._of_call(node)])

    def _is_shape(self, node: fx.Node) -> bool:
        """Tells whether a node gives a shape or a part of it, and no tensor."""
        if node.target in ("size", "dim", "numel") or (node.target is getattr and node.args[1] in ("shape", "ndim")):
            return True
        sources = [each for each in node.all_input_nodes if each not in self._constants]
        return bool(sources) and all(each not in self._names for each in sources)

    def _add_all(self, node: fx.Node, name: str, operations: Iterable[Operation | None]) -> None:
        inputs = tuple(self._names[each] for each in node.all_input_nodes if each in self._names)
        for operation in operations:
            if operation is None:
                continue
            number = sum(step.name.partition("#")[0] == name for step in self.graph.steps)
            step = Step(f"{name}#{number}" if number else name, operation, inputs)
            self.graph.steps.append(step)
            inputs = (step.name,)
        self._names[node] = inputs[0]

    def _of_module(self, module: nn.Module, node: fx.Node) -> list[Operation | None]:
        if _is_fused(module):
            return list(_fused(module))
        if _is_fused_sum(module):
            return [Sum(), _clip_of(module.clamp)]
        kind = type(module)
        if isinstance(module, (nn.Conv1d, nn.Conv2d)):
            return [_convolution(module)]
        if isinstance(module, nn.Linear):
            return [Dense(module.weight, module.bias)]
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            return [_norm(module)]
        if kind in _ACTIVATIONS:
            return [Activate(_ACTIVATIONS[kind])]
        if isinstance(module, _DROPOUTS[:4]):
            return [Dropout(float(module.p))]
        if isinstance(module, nn.Hardtanh):
            return [Clip(module.min_val, module.max_val)]
        if kind in _POOLS:
            return [_pooling(_POOLS[kind], vars(module), kind in (nn.MaxPool1d, nn.AvgPool1d))]
        if kind in _WHOLE_POOLS:
            return [_whole(_WHOLE_POOLS[kind], module.output_size)]
        if kind is nn.Flatten:
            return [Flatten() if module.start_dim == 1 else Unknown("a flatten of batches")]
        return [None if kind in _NOTHING else Unknown(kind.__name__)]

    def _value(self, argument: Any) -> Any:
        """A constant, where the module has one there."""
        return self._constants.get(argument, argument) if isinstance(argument, fx.Node) else argument

    def _of_call(self, node: fx.Node) -> Operation | None:
        target, values = node.target, [self._value(each) for each in node.args]
        keys: dict[str, Any] = dict(node.kwargs)
        if target in _NOTHING:
            return None
        if target in _ACTIVATIONS:
            return Activate(_ACTIVATIONS[target])
        if target in _DROPOUTS:
            return Dropout(float(keys.get("p", values[1] if len(values) > 1 else 0.5)))
        if target in _FLATTENS:
            return Flatten() if _flattens(node) else Unknown(f"{node.name}, which moves values to other places")
        if target in (*_SUMS, *_FACTORS, *_QUOTIENTS):
            return _arithmetic(target, values)
        if target in _CLAMPS:
            ends = ("min_val", "max_val") if target is F.hardtanh else ("min", "max")
            low, high = (keys.get(name, _at(values, index, None)) for index, name in enumerate(ends, 1))
            return Clip(low, high)
        if target in _POOLS:
            names = ("kernel_size", "stride", "padding")
            given = {name: keys.get(name, _at(values, index, None)) for index, name in enumerate(names, 1)}
            given["ceil_mode"] = keys.get("ceil_mode", False)
            given["dilation"] = keys.get("dilation", 1)
            return _pooling(_POOLS[target], given, target in (F.max_pool1d, F.avg_pool1d))
        if target in _WHOLE_POOLS:
            return _whole(_WHOLE_POOLS[target], keys.get("output_size", _at(values, 1, None)))
        if target in ("mean", torch.mean):
            axes = keys.get("dim", _at(values, 1, None))
            whole = axes in ([2, 3], (2, 3), [-2, -1], (-2, -1), [-1, -2], (-1, -2), 2, -1)
            return Pooling("avg") if whole else Unknown(f"a mean over the axes {axes}")
        if target in (F.conv2d, F.conv1d):
            return _functional(values, keys)
        return Unknown(getattr(target, "__name__", str(target)))


def _fused(module: nn.Module) -> Iterable[Operation]:
    """A layer of ai8x-training, before its quantization-aware training."""
    parts: Any = module
    if float(parts.weight_bits.detach().max()) != 0:
        yield Unknown("a quantized layer of ai8x-training", "load its checkpoint: maxexp.load(FILE, network=...)")
    if parts.pool is not None:
        kind = "max" if "Max" in type(parts.pool).__name__ else "avg"
        yield _pooling(kind, vars(parts.pool), isinstance(parts.pool, (nn.MaxPool1d, nn.AvgPool1d)))
    if parts.op is None:
        return
    known = isinstance(parts.op, (nn.Conv1d, nn.Conv2d))
    if known:
        yield _convolution(parts.op)
    else:
        linear = isinstance(parts.op, nn.Linear)
        yield Dense(parts.op.weight, parts.op.bias) if linear else Unknown(type(parts.op).__name__)
    if parts.bn is not None:
        yield _norm(parts.bn)
        yield Scaling(torch.tensor([0.25]), torch.tensor([0.0]))
    kind = type(parts.activate).__name__.lower()
    if kind in ("relu", "abs"):
        yield Activate(kind)
    if not parts.wide:
        yield _clip_of(parts.clamp)


def _clip_of(module: Any) -> Operation:
    """A clamp of ai8x-training."""
    return Clip(module.min_val, module.max_val)


def _convolution(module: nn.Conv1d | nn.Conv2d) -> Operation:
    if isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d)):
        return Unknown("a transposed convolution")
    if module.padding_mode != "zeros":
        return Unknown(f"padding by {module.padding_mode}", "pad with zeros")
    padding: Any = module.padding
    if isinstance(padding, str):
        reach = [d * (k - 1) for k, d in zip(module.kernel_size, module.dilation, strict=True)]
        padding = [0 if padding == "valid" else each // 2 for each in reach]
        if module.padding == "same" and any(each % 2 for each in reach):
            return Unknown("padding='same' of an even kernel", "use kernels of odd size")
    return Convolution(
        module.weight,
        module.bias,
        _size(module.stride),
        _sides(padding),
        _size(module.dilation),
        module.groups,
    )


def _functional(values: list[Any], keys: dict[str, Any]) -> Operation:
    """A call of ``F.conv2d``."""
    weight, bias = _at(values, 1, None), keys.get("bias", _at(values, 2, None))
    if not isinstance(weight, Tensor):
        return Unknown("a convolution with computed weights", "use nn.Conv2d")
    names = ("stride", "padding", "dilation", "groups")
    stride, padding, dilation, groups = (
        keys.get(name, _at(values, index, default))
        for index, (name, default) in enumerate(zip(names, (1, 0, 1, 1), strict=True), 3)
    )
    return Convolution(weight, bias, _size(stride), _sides(padding), _size(dilation), groups)


def _norm(module: Any) -> Operation:
    if module.running_mean is None:
        return Unknown("a batch norm without running statistics", "track them")
    gain = 1 / (module.running_var.double() + module.eps).sqrt()
    offset = -module.running_mean.double() * gain
    if module.affine:
        gain, offset = gain * module.weight.double(), offset * module.weight.double() + module.bias.double()
    norm = (module.weight, module.bias, module.running_mean, module.running_var, float(module.eps))
    return Scaling(gain.detach(), offset.detach(), norm)


def _arithmetic(target: Any, values: list[Any]) -> Operation:
    """A sum of two tensors, or arithmetic with a constant."""
    one, other = values[0], _at(values, 1, None)
    if isinstance(one, fx.Node) and isinstance(other, fx.Node):
        return Sum() if target in _SUMS else Unknown("a product of two maps")
    constant = other if isinstance(one, fx.Node) else one
    if isinstance(constant, Tensor):
        constant = constant.detach().flatten()
    number = torch.as_tensor(constant, dtype=torch.float64).reshape(-1)
    one_, zero = torch.ones_like(number), torch.zeros_like(number)
    if target in _SUMS:
        return Scaling(one_, number)
    if target in _QUOTIENTS and not isinstance(one, fx.Node):
        return Unknown("a division by a map")
    return Scaling(number if target in _FACTORS else 1 / number, zero)


def _pooling(kind: str, given: dict[str, Any], signal: bool) -> Operation:
    size, stride = given["kernel_size"], given.get("stride") or given["kernel_size"]
    padding, dilation = given.get("padding") or 0, given.get("dilation") or 1
    form: Callable[[Any], Size] = _column if signal else _size
    return Pooling(
        kind, form(size), form(stride), _zero_column(padding) if signal else _size(padding), form(dilation),
        bool(given.get("ceil_mode")),
    )  # fmt: skip


def _whole(kind: str, output_size: Any) -> Operation:
    if output_size in (1, (1, 1), [1, 1], (1,), [1]):
        return Pooling(kind)
    return Unknown(f"an adaptive pooling to {output_size}", "pool with a size, or to 1")


def _flattens(node: fx.Node) -> bool:
    """Tells whether a call gives all values of each example in a row."""
    if node.target in ("view", "reshape", torch.reshape):
        shape = list(node.args[1:])
        shape = list(shape[0]) if len(shape) == 1 and isinstance(shape[0], (list, tuple)) else shape
        free = any(isinstance(each, int) and each == -1 for each in shape)
        return len(shape) == 2 and (free or not isinstance(shape[0], int))
    if node.target in ("squeeze", torch.squeeze):
        return True  # of one pixel; a map of more than one is left as it is, and told by the next step
    return bool(node.kwargs.get("start_dim", _at(list(node.args), 1, 0)) == 1)


def _at(values: list[Any], index: int, default: Any) -> Any:
    return values[index] if len(values) > index else default


def _size(value: Any) -> Size:
    """Returns a size of maps; one number is for both directions, and of signals for rows."""
    values = list(value) if isinstance(value, (list, tuple)) else [value, value]
    return (int(values[0]), int(values[1])) if len(values) == 2 else (int(values[0]), 1)


def _column(value: Any) -> Size:
    return (int(value[0] if isinstance(value, (list, tuple)) else value), 1)


def _zero_column(value: Any) -> Size:
    return (_column(value)[0], 0)


def _sides(padding: Any) -> tuple[int, int, int, int]:
    values = list(padding) if isinstance(padding, (list, tuple)) else [padding, padding]
    top, left = (values[0], values[1]) if len(values) == 2 else (values[0], 0)
    return int(top), int(top), int(left), int(left)
