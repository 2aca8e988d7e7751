"""Convolutions of others as those of the chip: 1x1 and 3x3 kernels (signals: up to 9 samples) with stride 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from maxexp.base.errors import NetworkError
from maxexp.importing.steps import Convolution
from maxexp.network.sizes import Shape, Size, dimensions

_LARGER = {5: 2, 7: 3}
"""Sizes of square kernels, and how many 3x3 in a row see as far."""
LONGEST_SIGNAL_KERNEL = 9


@dataclass(frozen=True)
class Kernel:
    """Weights of one layer.

    Attributes:
        weight: as the layer holds them; None: new ones, for there are none to take over.
        padding: rows and columns on each side.
    """

    weight: Tensor | None
    bias: Tensor | None
    size: Size = (1, 1)
    padding: Size = (0, 0)
    dilation: Size = (1, 1)
    outputs: int = 0

    def out_shape(self, shape: Shape) -> Shape:
        """Returns the output shape of a convolution of a map of ``shape``."""
        pairs = zip(shape[1:], self.size, self.padding, self.dilation, strict=True)
        rows, cols = (n + 2 * pad - step * (k - 1) for n, k, pad, step in pairs)
        return self.outputs, rows, cols


@dataclass(frozen=True)
class Lack:
    """What the chip lacks, what to put there, and what is put there without being asked."""

    what: str
    remedy: str
    done: str


@dataclass
class Plan:
    """Layers in the place of a convolution.

    Attributes:
        layers: keys of each, and its weights.
        pool: windows of a max pooling in front, in the place of a stride.
    """

    layers: list[tuple[dict[str, Any], Kernel]] = field(default_factory=list)
    lacks: list[Lack] = field(default_factory=list)
    pool: Size | None = None


def plan(operation: Convolution, shape: Shape) -> Plan:
    """Returns the layers for a convolution of a map of ``shape``.

    Raises:
        NetworkError: there is nothing near it.
    """
    found = Plan()
    weight = operation.weight
    signal = weight.dim() == 3
    if shape[0] != weight.shape[1] * operation.groups:
        raise NetworkError(f"a convolution reads {weight.shape[1] * operation.groups} channels of {shape[0]}")
    if operation.groups > 1:
        what = f"a convolution in {operation.groups} groups, which maxexp does not have"
        done = "one of all channels, whose other weights are 0 (more memory and cycles)"
        found.lacks.append(Lack(what, "use groups=1", done))
        weight = ungrouped(weight, operation.groups)
    if operation.stride != (1, 1):
        size = (operation.stride[0], 1) if signal else operation.stride
        what = f"stride {operation.stride[0] if signal else dimensions(operation.stride)}, for the chip has stride 1"
        remedy = "pool in front of the convolution, or behind it"
        found.lacks.append(Lack(what, remedy, f"max pooling of {dimensions(size)} in front (train it again)"))
        found.pool = size
    if signal:
        found.layers.append(_signal(operation, weight))
        return found
    high, wide = weight.shape[2:]
    padding = _even(operation)
    if operation.dilation != (1, 1) and (high, wide) != (1, 1):
        raise NetworkError(f"dilation {dimensions(operation.dilation)} of a convolution of maps; use dilation 1")
    if (high, wide) in ((1, 1), (3, 3)):
        found.layers.append(_map(weight, operation.bias, padding))
    elif high == wide and high in _LARGER and padding == (high // 2, high // 2):
        count = _LARGER[high]
        what = f"a kernel of {dimensions((high, wide))}; the chip has 1x1 and 3x3"
        remedy = f"use {count} convolutions of 3x3"
        found.lacks.append(Lack(what, remedy, f"{count} of 3x3 with new weights (train it again)"))
        channels = weight.shape[0]
        found.layers += [(_keys(channels, 3, (1, 1)), Kernel(None, None, (3, 3), (1, 1), outputs=channels))] * count
    else:
        raise NetworkError(
            f"a kernel of {dimensions((high, wide))} with padding {dimensions(padding)}; the chip has 1x1 and 3x3 "
            "with padding 0, 1 or 2"
        )
    return found


def identity(channels: int) -> Tensor:
    """Kernels (C, C, 1, 1) that give every channel as it is."""
    return torch.eye(channels)[..., None, None]


def ungrouped(weight: Tensor, groups: int) -> Tensor:
    """Returns the weights (out, in, ...) of all channels for those of groups, (out, in / groups, ...)."""
    outputs, reads = weight.shape[0] // groups, weight.shape[1]
    whole = weight.new_zeros(weight.shape[0], reads * groups, *weight.shape[2:])
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        whole[rows, group * reads : (group + 1) * reads] = weight[rows]
    return whole


def _signal(operation: Convolution, weight: Tensor) -> tuple[dict[str, Any], Kernel]:
    before, behind = operation.padding[:2]
    length, dilation = weight.shape[2], operation.dilation[0]
    if before != behind:
        raise NetworkError(f"padding {before} before and {behind} behind a signal; pad both ends alike")
    if length > LONGEST_SIGNAL_KERNEL:
        raise NetworkError(f"a kernel of {length} samples; the chip has up to {LONGEST_SIGNAL_KERNEL}")
    keys: dict[str, Any] = {"op": "conv1d", "out_channels": weight.shape[0], "kernel_size": length, "padding": before}
    if dilation > 1:
        keys["dilation"] = dilation
    kernel = Kernel(weight, operation.bias, (length, 1), (before, 0), (dilation, 1), weight.shape[0])
    return keys, kernel


def _map(weight: Tensor, bias: Tensor | None, padding: Size) -> tuple[dict[str, Any], Kernel]:
    outputs, size = weight.shape[0], (weight.shape[2], weight.shape[3])
    return _keys(outputs, size[0], padding), Kernel(weight, bias, size, padding, outputs=outputs)


def _keys(outputs: int, size: int, padding: Size) -> dict[str, Any]:
    keys: dict[str, Any] = {"op": "conv2d", "out_channels": outputs, "kernel_size": size}
    if padding != (size // 2, size // 2):
        keys["padding"] = padding[0] if padding[0] == padding[1] else list(padding)
    return keys


def _even(operation: Convolution) -> Size:
    top, bottom, left, right = operation.padding
    if (top, left) != (bottom, right):
        raise NetworkError(f"padding {operation.padding} (top, bottom, left, right); pad both sides alike")
    return top, left
