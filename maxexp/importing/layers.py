"""Steps of a network of others put together as layers of the chip.

A layer sums its inputs, pools, convolves, normalizes and activates, in that order. So sums and pooling wait for the
operation behind them, and normalization and activation go to the one in front.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from maxexp.chip.numbers.arithmetic import ACTIVATION_MAX, ACTIVATION_MIN, ACTIVATION_SCALE
from maxexp.importing import convolutions
from maxexp.importing.convolutions import Kernel
from maxexp.importing.steps import (
    INPUT,
    Activate,
    Clip,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Graph,
    Pooling,
    Scaling,
    Step,
    Sum,
    Unknown,
    refuse,
)
from maxexp.network.graph import RESERVED_NAMES
from maxexp.network.sizes import Shape, Size, dimensions

_RANGE = (ACTIVATION_MIN / ACTIVATION_SCALE, ACTIVATION_MAX / ACTIVATION_SCALE)
"""The range of the chip's activations, to which ai8x-training clamps them."""
_LIKE_RELU = frozenset({"relu6", "leaky_relu", "prelu", "elu", "gelu", "silu", "hardswish", "mish", "softplus"})
"""Activations for which a ReLU is the nearest that the chip has."""


@dataclass
class Entry:
    """One layer of the description while it is put together, and its weights.

    Attributes:
        keys: of the description, but for activation and normalization.
        kernel: its weights; None of a passthrough.
        scalings: what normalizes it, in order.
        clamped: whether its output is limited to the range of the chip.
    """

    name: str
    keys: dict[str, Any]
    out_shape: Shape
    kernel: Kernel | None = None
    scalings: list[Scaling] = field(default_factory=list)
    activation: str | None = None
    clamped: bool = False

    @property
    def open(self) -> bool:
        """Tells whether nothing has followed its operation yet."""
        return self.kernel is not None and self.activation is None and not self.clamped


@dataclass(frozen=True)
class Value:
    """An output of a step: the sum of layers' outputs, pooled, flattened, as the next operation will read it.

    Attributes:
        operands: names of layers, or of the input.
        before: shape of one operand.
        shape: behind the pooling.
        shared: whether something else reads what it is made of.
    """

    operands: tuple[str, ...]
    before: Shape
    shape: Shape
    pool: dict[str, Any] = field(default_factory=dict)
    flat: bool = False
    dropout: float = 0.0
    shared: bool = False

    @property
    def bare(self) -> bool:
        """Tells whether it is the output of one layer, as it is."""
        return len(self.operands) == 1 and not self.pool


class Assembly:
    """Puts the layers together, step by step.

    Args:
        in_shape: (C, H, W) of the input.
        strict: whether what the chip lacks is refused, instead of the nearest that it has put in its place.

    Attributes:
        entries: the layers by name, in their order.
        changes: what was put in the place of something else.
    """

    def __init__(self, graph: Graph, in_shape: Shape, strict: bool) -> None:
        self.entries: dict[str, Entry] = {}
        self.changes: list[str] = []
        self._strict = strict
        self._readers = graph.readers
        self._values = {INPUT: Value((INPUT,), in_shape, in_shape)}
        handlers: dict[type, Callable[[Step, Any], Value]] = {
            Convolution: self._convolution,
            Dense: self._dense,
            Scaling: self._scaling,
            Activate: self._activate,
            Clip: self._clip,
            Pooling: self._pooling,
            Sum: self._sum,
            Flatten: self._flatten,
            Dropout: self._dropout,
            Unknown: self._unknown,
        }
        for step in graph.steps:
            self._values[step.name] = handlers[type(step.operation)](step, step.operation)
        last = graph.steps[-1]
        end = self._values[last.name]
        if not end.bare:
            self._passthrough(last.name, end)

    def _change(self, step: Step, lacks: str, remedy: str, done: str) -> None:
        """Refuses what the chip lacks, or notes what was put in its place."""
        if self._strict:
            refuse(step, f"{lacks}; {remedy}, or let strict=False do it: {done}")
        self.changes.append(f"{step.name}: {lacks}; {done}")

    def _layer(
        self, step: Step, keys: dict[str, Any], value: Value, out_shape: Shape, kernel: Kernel | None
    ) -> Value:
        name = self._free_name(step.name)
        reads: dict[str, Any] = {"inputs": list(value.operands)} if self._needs_inputs(value) else {}
        if len(value.operands) > 1:
            reads["eltwise"] = "add"
        dropout = {"dropout": value.dropout} if value.dropout and kernel is not None else {}
        whole = {**keys, **value.pool, **dropout, **reads}
        self.entries[name] = Entry(name, whole, out_shape, kernel)
        return Value((name,), out_shape, out_shape)

    def _needs_inputs(self, value: Value) -> bool:
        previous = next(reversed(self.entries), INPUT)
        return value.operands != (previous,)

    def _passthrough(self, name: str, value: Value) -> Value:
        """A layer that only sums and pools."""
        step = Step(name, Sum(), ())
        return self._layer(step, {"op": "passthrough"}, replace(value, dropout=0.0), value.shape, None)

    def _read(self, source: str) -> Value:
        """Returns what a step reads."""
        value = self._values[source]
        return replace(value, shared=value.shared or self._readers[source] > 1)

    def _producer(self, step: Step, allowed: Callable[[Entry], bool]) -> Entry | None:
        """The layer whose output a step alone reads, as it is, if that is allowed."""
        (source,) = step.inputs
        value = self._read(source)
        if not value.bare or value.operands[0] == INPUT or value.shared:
            return None
        entry = self.entries[value.operands[0]]
        return entry if allowed(entry) else None

    def _convolution(self, step: Step, operation: Convolution) -> Value:
        value = self._values[step.inputs[0]]
        if value.flat:
            refuse(step, "a convolution behind a flatten; convolve the map in front of it")
        plan = convolutions.plan(operation, value.shape)
        for lack in plan.lacks:
            self._change(step, lack.what, lack.remedy, lack.done)
        if plan.pool is not None:
            if value.pool:
                value = self._passthrough(f"{step.name}_pool", value)
            size = plan.pool
            value = self._pooled(value, "max", size, size)
        for index, (keys, kernel) in enumerate(plan.layers):
            part = step if index == len(plan.layers) - 1 else replace(step, name=f"{step.name}_{index + 1}")
            value = self._layer(part, keys, value, kernel.out_shape(value.shape), kernel)
            if part is not step:
                self.entries[value.operands[0]].activation = "relu"
        return value

    def _dense(self, step: Step, operation: Dense) -> Value:
        value = self._values[step.inputs[0]]
        features, inputs = operation.weight.shape
        if prod(value.shape) != inputs or not (value.flat or value.shape[1:] == (1, 1)):
            refuse(
                step,
                f"reads {inputs:,} numbers of a map of {dimensions(value.shape)}; flatten the map in front of it",
            )
        kernel = Kernel(operation.weight, operation.bias)
        if value.shape[1:] == (1, 1) and not value.bare:
            # The chip pools and adds in front of convolutions, not of linear layers; on one pixel they are the same.
            weight = operation.weight[..., None, None]
            keys = {"op": "conv2d", "out_channels": features, "kernel_size": 1}
            return self._layer(step, keys, value, (features, 1, 1), Kernel(weight, operation.bias))
        if not value.bare:
            value = replace(self._passthrough(f"{step.name}_input", value), dropout=value.dropout)
        return self._layer(step, {"op": "linear", "out_features": features}, value, (features, 1, 1), kernel)

    def _scaling(self, step: Step, operation: Scaling) -> Value:
        entry = self._producer(step, lambda entry: entry.open)
        if entry is None:
            refuse(
                step,
                "a batch norm or arithmetic with constants that has no convolution or linear layer in front of it; "
                "put it directly behind one, whose weights it becomes part of",
            )
        entry.scalings.append(operation)
        return self._values[step.inputs[0]]

    def _activate(self, step: Step, operation: Activate) -> Value:
        name = operation.name
        if name in _LIKE_RELU:
            self._change(step, f"no {name} on the chip", "use nn.ReLU", "ReLU in its place")
            name = "relu"
        if name not in ("relu", "abs"):
            refuse(step, f"no {name} on the chip; use nn.ReLU, or leave it out behind the last layer")
        value = self._read(step.inputs[0])
        if entry := self._producer(step, lambda entry: entry.open):
            entry.activation = name
            return value
        if name == "relu" and (entry := self._pooled_producer(value)):
            # The largest of positive parts is the positive part of the largest.
            entry.activation = name
            return value
        if name == "relu" and value.bare and value.operands[0] in self.entries:
            activation = self.entries[value.operands[0]].activation
            if activation in ("relu", "abs"):
                return value
        self._change(
            step,
            f"no {name} behind a sum or a pooling on the chip",
            f"put the {name} into the branches, in front of it",
            "a 1x1 convolution by the identity, with the activation, behind it",
        )
        channels = value.shape[0]
        keys = {"op": "conv2d", "out_channels": channels, "kernel_size": 1, "bias": False}
        value = self._layer(step, keys, value, value.shape, Kernel(convolutions.identity(channels), None))
        self.entries[value.operands[0]].activation = name
        return value

    def _pooled_producer(self, value: Value) -> Entry | None:
        """The layer in front of a max pooling, where nothing else reads either."""
        if value.pool.get("pool") != "max" or len(value.operands) != 1 or value.shared:
            return None
        entry = self.entries.get(value.operands[0])
        return entry if entry is not None and entry.open else None

    def _clip(self, step: Step, operation: Clip) -> Value:
        low, high = operation.low, operation.high
        if low == 0 and high is not None and high > 1:
            return self._activate(step, Activate("relu6"))
        value = self._read(step.inputs[0])
        inside = (low is None or low == _RANGE[0]) and (high is None or high == _RANGE[1])
        if inside:
            # A sum, a pooling or a layer: each saturates on the chip, and in networks that are trained with clamps.
            for operand in value.operands:
                if operand in self.entries and value.bare:
                    self.entries[operand].clamped = True
            return value
        if low is not None and high is not None and low <= -(2**10) and high >= 2**10:
            return value  # of the maker's 32-bit outputs, which no float comes near
        refuse(step, f"values are limited to {low} and {high}; the chip limits them to -1 and 127/128: leave it out")

    def _pooling(self, step: Step, operation: Pooling) -> Value:
        value = self._read(step.inputs[0])
        if value.flat:
            refuse(step, "a pooling behind a flatten; pool the map in front of it")
        if value.pool:
            value = self._passthrough(f"{step.name}_input", value)
        size = operation.size or value.shape[1:]
        stride = operation.stride or size
        if size == (1, 1) and stride == (1, 1):
            return value
        if operation.dilation != (1, 1):
            refuse(step, f"a pooling with dilation {dimensions(operation.dilation)}; pool without")
        if operation.padding != (0, 0) or self._rounds_up(operation, value.shape, size, stride):
            what = "padding" if operation.padding != (0, 0) else "ceil_mode"
            self._change(
                step, f"no {what} of a pooling on the chip", "pool without", f"windows of {dimensions(stride)} pixels"
            )
            size = stride
        return self._pooled(value, operation.kind, size, stride)

    @staticmethod
    def _rounds_up(operation: Pooling, shape: Shape, size: Size, stride: Size) -> bool:
        left = [(n - k) % s for n, k, s in zip(shape[1:], size, stride, strict=True)]
        return operation.ceil and any(left)

    @staticmethod
    def _pooled(value: Value, kind: str, size: Size, stride: Size) -> Value:
        channels, *area = value.shape
        rows, cols = ((n - k) // s + 1 for n, k, s in zip(area, size, stride, strict=True))
        keys: dict[str, Any] = {"pool": kind, "pool_size": _short(size)}
        if stride != size:
            keys["pool_stride"] = _short(stride)
        return replace(value, pool=keys, shape=(channels, rows, cols))

    def _sum(self, step: Step, operation: Sum) -> Value:
        operands: list[str] = []
        shapes = set()
        for name in step.inputs:
            value = self._values[name]
            if value.pool or (len(value.operands) > 1 and self._readers[name] > 1):
                value = self._passthrough(f"{step.name}_input", value)
                self._values[name] = value
            operands += value.operands
            shapes.add(value.shape)
        if len(shapes) > 1:
            refuse(
                step, f"a sum of maps of {' and '.join(map(dimensions, sorted(shapes)))}; their shapes must be equal"
            )
        if len(set(operands)) < len(operands):
            refuse(step, "a sum of a map with itself; double the weights in front of it")
        shape = shapes.pop()
        value = Value(tuple(operands), shape, shape)
        several = self._readers[step.name] > 1
        return self._passthrough(step.name, value) if several else value

    def _flatten(self, step: Step, operation: Flatten) -> Value:
        return replace(self._read(step.inputs[0]), flat=True)

    def _dropout(self, step: Step, operation: Dropout) -> Value:
        return replace(self._read(step.inputs[0]), dropout=operation.share)

    def _unknown(self, step: Step, operation: Unknown) -> Value:
        refuse(step, f"{operation.what} is not on the chip; {operation.remedy}")

    def _free_name(self, name: str) -> str:
        """A layer's name like that of the source."""
        # Of a module that is several steps, the layer has the name without the step's number.
        clean = re.sub(r"\W+", "_", name.partition("#")[0], flags=re.ASCII).strip("_") or "layer"
        if not clean[0].isalpha() or clean in RESERVED_NAMES:
            clean = f"layer_{clean}"
        number = 2
        free = clean
        while free in self.entries:
            free, number = f"{clean}_{number}", number + 1
        return free


def _short(size: Size) -> int | list[int]:
    return size[0] if size[0] == size[1] else list(size)
