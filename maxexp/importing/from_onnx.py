"""ONNX files as graphs of steps; of all operator sets that torch, Keras and others write today.

The package ``onnx`` reads the files; it is an extra (``pip install 'maxexp[onnx]'``), for only this needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maxexp.base.errors import ConfigError, NetworkError
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
from maxexp.network.sizes import Shape, Size

_SHAPES = frozenset({"Shape", "Size"})
_NOTHING = frozenset({"Identity", "Cast"})
_ACTIVATIONS = {
    "Relu": "relu", "Abs": "abs", "LeakyRelu": "leaky_relu", "PRelu": "prelu", "Elu": "elu", "Gelu": "gelu",
    "HardSwish": "hardswish", "Mish": "mish", "Softplus": "softplus", "Sigmoid": "sigmoid", "Tanh": "tanh",
    "Softmax": "softmax", "LogSoftmax": "log_softmax",
}  # fmt: skip
_ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div"})
_FLATTENS = frozenset({"Flatten", "Reshape", "Squeeze"})
_POOLS = {"MaxPool": "max", "AveragePool": "avg", "GlobalMaxPool": "max", "GlobalAveragePool": "avg"}


def onnx_graph(path: Path) -> tuple[Graph, Shape]:
    """Returns the steps of an ONNX file, and the shape of its input.

    Raises:
        ConfigError: the package ``onnx`` is not installed.
        NetworkError: the file cannot be read, or its network reads several tensors or one of no fixed shape.
    """
    try:
        import onnx
    except ImportError as error:
        raise ConfigError("from_onnx: needs the package onnx; install it: pip install 'maxexp[onnx]'") from error
    try:
        model = onnx.load(str(path))
    except Exception as error:  # of protobuf and of the system, a dozen types
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NetworkError(f"{path}: not a readable ONNX file ({cause})") from error
    reader = _Reader(model.graph, str(path))
    return reader.graph, reader.in_shape


class _Reader:
    """Reads the nodes of a graph, whose tensors are known by their names."""

    def __init__(self, graph: Any, source: str) -> None:
        from onnx import numpy_helper

        self.graph = Graph()
        self._array: Callable[[Any], np.ndarray] = numpy_helper.to_array
        self._constants = {each.name: self._array(each) for each in graph.initializer}
        inputs = [each for each in graph.input if each.name not in self._constants]
        if len(inputs) != 1 or len(graph.output) != 1:
            what = f"reads {len(inputs)} tensors and gives {len(graph.output)}"
            raise NetworkError(f"{source}: {what}; the chip's networks read one and give one")
        self.in_shape = _in_shape(inputs[0], source)
        self._signal = len(inputs[0].type.tensor_type.shape.dim) == 3
        self._names = {inputs[0].name: INPUT}
        self._shapes: set[str] = set()
        for node in graph.node:
            self._read(node)

    def _read(self, node: Any) -> None:
        known = [name for name in node.input if name]
        if node.op_type == "Constant":
            value = next(each for each in node.attribute)
            self._constants[node.output[0]] = self._array(value.t) if value.HasField("t") else np.array(_plain(value))
            return
        reads_values = [name for name in known if name in self._names]
        if node.op_type in _SHAPES or (not reads_values and known):
            # What follows from constants and shapes alone says where values are, not which.
            self._shapes.update(node.output)
            return
        operations = self._operations(node, {each.name: _plain(each) for each in node.attribute})
        inputs = tuple(self._names[name] for name in reads_values)
        name = node.name or f"{node.op_type.lower()}_{len(self.graph.steps) + 1}"
        for index, operation in enumerate(operations):
            step = Step(f"{name}#{index}" if index else name, operation, inputs)
            self.graph.steps.append(step)
            inputs = (step.name,)
        self._names[node.output[0]] = inputs[0]

    def _constant(self, node: Any, index: int) -> np.ndarray | None:
        """A constant input of a node; None where it has none there."""
        return self._constants.get(node.input[index]) if len(node.input) > index else None

    def _tensor(self, node: Any, index: int) -> Tensor | None:
        value = self._constant(node, index)
        return None if value is None else torch.from_numpy(np.array(value, dtype=np.float64))

    def _operations(self, node: Any, given: Mapping[str, Any]) -> list[Operation]:
        kind = node.op_type
        if kind in _NOTHING:
            return []
        if kind in _ACTIVATIONS:
            return [Activate(_ACTIVATIONS[kind])]
        if kind in _FLATTENS:
            return [Flatten()] if self._flattens(node, given) else [Unknown(f"{kind} to another shape than a row")]
        if kind in _POOLS:
            return [_pooling(_POOLS[kind], given)]
        if kind == "Pad":
            pads = self._constant(node, 1) if len(node.input) > 1 else given.get("pads")
            return [] if pads is not None and not any(pads) else [Unknown("Pad", "pad in the convolution")]
        if kind == "Dropout":
            return [Dropout(float(_number(self._constant(node, 1), given.get("ratio", 0.5)) or 0.0))]
        readers: dict[str, Callable[[Any, Mapping[str, Any]], Operation]] = {
            "Conv": self._convolution,
            "Gemm": self._dense,
            "MatMul": self._dense,
            "BatchNormalization": self._norm,
            "Clip": self._clip,
            "ReduceMean": self._mean,
            **dict.fromkeys(_ARITHMETIC, self._arithmetic),
        }
        return [readers[kind](node, given) if kind in readers else Unknown(kind)]

    def _clip(self, node: Any, given: Mapping[str, Any]) -> Operation:
        low, high = self._constant(node, 1), self._constant(node, 2)
        return Clip(_number(low, given.get("min")), _number(high, given.get("max")))

    def _mean(self, node: Any, given: Mapping[str, Any]) -> Operation:
        axes = self._constant(node, 1)
        axes = given.get("axes", []) if axes is None else axes.tolist()
        rank = 3 if self._signal else 4
        spatial = sorted(axis % rank for axis in axes) == list(range(2, rank))
        return Pooling("avg") if spatial else Unknown(f"ReduceMean over the axes {axes}")

    def _convolution(self, node: Any, given: Mapping[str, Any]) -> Operation:
        weight = self._tensor(node, 1)
        if weight is None:
            return Unknown("a convolution with computed weights")
        ends = _ends(given, list(weight.shape[2:]))
        if ends is None:
            return Unknown(f"auto_pad={given['auto_pad']}", "export with explicit padding")
        half = len(ends) // 2
        top, bottom = ends[0], ends[half]
        left, right = (ends[1], ends[half + 1]) if half > 1 else (0, 0)
        return Convolution(
            weight,
            self._tensor(node, 2),
            _size(given.get("strides"), 1),
            (top, bottom, left, right),
            _size(given.get("dilations"), 1),
            given.get("group", 1),
        )

    def _dense(self, node: Any, given: Mapping[str, Any]) -> Operation:
        weight = self._tensor(node, 1)
        if weight is None or weight.dim() != 2 or given.get("transA"):
            return Unknown(f"{node.op_type} of two maps")
        bias = self._tensor(node, 2)
        weight = (weight if given.get("transB") else weight.T) * given.get("alpha", 1.0)
        return Dense(weight, None if bias is None else bias.expand(len(weight)) * given.get("beta", 1.0))

    def _norm(self, node: Any, given: Mapping[str, Any]) -> Operation:
        gamma, beta, mean, variance = (self._tensor(node, index) for index in (1, 2, 3, 4))
        if gamma is None or beta is None or mean is None or variance is None:
            return Unknown("a batch norm with computed statistics")
        epsilon = given.get("epsilon", 1e-5)
        gain = gamma / (variance + epsilon).sqrt()
        return Scaling(gain, beta - mean * gain, (gamma, beta, mean, variance, epsilon))

    def _arithmetic(self, node: Any, given: Mapping[str, Any]) -> Operation:
        """A sum of two tensors, or arithmetic with constants."""
        kind, constants = node.op_type, [self._constants.get(name) for name in node.input]
        if all(each is None for each in constants):
            return Sum() if kind == "Add" else Unknown(f"{kind} of two maps", "use sums")
        index = next(index for index, each in enumerate(constants) if each is not None)
        number = torch.from_numpy(np.array(constants[index], dtype=np.float64)).reshape(-1)
        one, zero = torch.ones_like(number), torch.zeros_like(number)
        if kind == "Add":
            return Scaling(one, number)
        if kind == "Mul":
            return Scaling(number, zero)
        if kind == "Sub":
            return Scaling(one, -number) if index else Scaling(-one, number)
        return Scaling(1 / number, zero) if index else Unknown("a division by a map")

    def _flattens(self, node: Any, given: Mapping[str, Any]) -> bool:
        if node.op_type == "Flatten":
            return given.get("axis", 1) == 1
        if node.op_type == "Squeeze":
            return True
        shape = self._constant(node, 1)
        if shape is not None:
            return len(shape) == 2
        # Computed from the batch's own: the shape of a row is all that exporters write so.
        return node.input[1] in self._shapes if len(node.input) > 1 else len(given.get("shape", ())) == 2


def _in_shape(value: Any, source: str) -> Shape:
    dims = [each.dim_value for each in value.type.tensor_type.shape.dim][1:]
    if not 1 <= len(dims) <= 3 or not all(dims):
        raise NetworkError(f"{source}: its input is of no fixed shape (N, C, H, W); export it with one example's")
    channels, rows, cols = [*dims, 1, 1][:3]
    return channels, rows, cols


def _plain(attribute: Any) -> Any:
    """The value of an attribute of numbers or texts."""
    from onnx import helper

    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _number(value: np.ndarray | None, default: float | None) -> float | None:
    return default if value is None or value.size == 0 else float(value.reshape(-1)[0])


def _pooling(kind: str, given: Mapping[str, Any]) -> Operation:
    if "kernel_shape" not in given:
        return Pooling(kind)
    if given.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        return Unknown(f"auto_pad={given['auto_pad']}", "export with explicit padding")
    ends = given.get("pads") or [0] * 4
    half = len(ends) // 2
    top, left = ends[0], ends[1] if half > 1 else 0
    size, stride = _size(given["kernel_shape"], 1), _size(given.get("strides"), 1)
    ceil = bool(given.get("ceil_mode")) or ends[half:] != ends[:half]
    return Pooling(kind, size, stride, (top, left), _size(given.get("dilations"), 1), ceil)


def _ends(given: Mapping[str, Any], kernel: Sequence[int]) -> list[int] | None:
    """The padding before and behind each axis; None where it depends on more than the kernel."""
    mode = given.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", "VALID"):
        return given.get("pads") or [0] * 2 * len(kernel)
    dilations = given.get("dilations") or [1] * len(kernel)
    reach = [step * (size - 1) for step, size in zip(dilations, kernel, strict=True)]
    strides = given.get("strides") or [1]
    # With stride 1 and kernels of odd size both ends get the same.
    return None if any(each % 2 for each in reach) or max(strides) > 1 else [each // 2 for each in reach] * 2


def _size(values: Sequence[int] | None, default: int) -> Size:
    """Returns a size of maps; one number is of a signal."""
    if values is None:
        return default, default
    return (values[0], values[1]) if len(values) > 1 else (values[0], 1)
