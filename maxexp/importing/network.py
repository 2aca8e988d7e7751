"""The description and the module of a network that was put together, with the weights of its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from maxexp.base.errors import NetworkError
from maxexp.chip.operations import CHIP_OPERATIONS
from maxexp.chip.part import Part
from maxexp.chip.pooling import check_pooling
from maxexp.importing.layers import Assembly, Entry
from maxexp.importing.steps import Graph, Scaling
from maxexp.network.config import NetworkConfig
from maxexp.network.graph import build_network
from maxexp.network.module import BATCHNORM_MOMENTUM, LayerModule, NetworkModule
from maxexp.network.sizes import Shape
from maxexp.quantization.simulate.fake import MAKER_BATCHNORM_FACTOR, ClampedNumerics, set_numerics

EPSILON = 1e-5
"""Of the batch norms of torch, ours too."""


@dataclass(frozen=True)
class Imported:
    """A network of others as one of ours.

    Attributes:
        config: its description.
        module: in floating point, with the weights of the source.
        changes: what was put in the place of what the chip lacks, one sentence each.
    """

    config: NetworkConfig
    module: NetworkModule
    changes: tuple[str, ...]


def build(graph: Graph, name: str, in_shape: Shape, part: Part, strict: bool = True) -> Imported:
    """Returns the network that computes what a graph does.

    Args:
        in_shape: (C, H, W) of an example.
        part: the chip.
        strict: whether what it lacks is refused; else the nearest that it has is put there, and told.

    Raises:
        NetworkError, DeviceError: names the first step or layer that the chip lacks, and what to put there.
    """
    if not graph.steps:
        raise NetworkError(f"{name}: computes nothing")
    assembly = Assembly(graph, in_shape, strict)
    entries = assembly.entries
    clamped = _clamped(entries)
    layers = {key: _keys(entry, clamped, key == list(entries)[-1]) for key, entry in entries.items()}
    plain = {"name": name, "layers": layers}
    config: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(NetworkConfig), plain))
    network = build_network(config, in_shape)
    for layer in network:
        if layer.pool is not None:
            check_pooling(layer, part)
        CHIP_OPERATIONS[layer.op].check(layer, part)
    module = NetworkModule(network)
    if clamped:
        set_numerics(module, ClampedNumerics())
    for layer_module in module.layers():
        _fill(layer_module, entries[layer_module.spec.name], clamped)
    return Imported(config, module.eval(), tuple(assembly.changes))


def _clamped(entries: dict[str, Entry]) -> bool:
    """Tells whether the network was trained with the chip's clamps, as ai8x-training does it."""
    inner = [entry for entry in entries.values() if entry.kernel is not None][:-1]
    found = [entry.clamped for entry in inner]
    if any(found) and not all(found):
        name = next(entry.name for entry in inner if not entry.clamped)
        raise NetworkError(f"{name}: its output is not clamped, and others are; clamp all to -1 and 127/128, or none")
    return any(found)


def _keys(entry: Entry, clamped: bool, last: bool) -> dict[str, Any]:
    """Returns the keys of an entry of the description."""
    if entry.kernel is None:
        return entry.keys
    keys = {**entry.keys, "activation": entry.activation or "none"}
    norm = _kept_norm(entry, clamped)
    if norm is not None:
        keys["batchnorm"] = "affine" if norm[0] is not None else "no_affine"
    keys["bias"] = entry.kernel.weight is None or entry.kernel.bias is not None or bool(entry.scalings)
    if last and entry.activation is None and not entry.clamped:
        keys["wide"] = True
    return keys


def _kept_norm(entry: Entry, clamped: bool) -> Any:
    """The batch norm that stays one, to be trained on; None: what normalizes the layer goes into its weights."""
    if entry.keys["op"] == "linear" or not entry.scalings or entry.scalings[0].norm is None:
        return None
    rest = entry.scalings[1:]
    if clamped:
        quarter = len(rest) == 1 and _is_factor(rest[0], MAKER_BATCHNORM_FACTOR)
        return entry.scalings[0].norm if quarter else None
    return entry.scalings[0].norm if not rest else None


def _is_factor(scaling: Scaling, factor: float) -> bool:
    return scaling.norm is None and bool((scaling.gain == factor).all()) and not bool(scaling.offset.any())


@torch.no_grad()
def _fill(layer: LayerModule, entry: Entry, clamped: bool) -> None:
    """Gives a layer the weights of the source."""
    kernel = entry.kernel
    if kernel is None or kernel.weight is None:
        return
    norm = _kept_norm(entry, clamped)
    weight, bias = kernel.weight.double(), kernel.bias
    offset = torch.zeros(len(weight), dtype=torch.float64) if bias is None else bias.double()
    for scaling in [] if norm is not None else entry.scalings:
        gain = scaling.gain.double().expand(len(weight))
        weight = weight * gain.reshape(-1, *(1,) * (weight.dim() - 1))
        offset = offset * gain + scaling.offset.double()
    layer.weight.copy_(weight)
    if layer.bias is not None:
        layer.bias.copy_(offset)
    if norm is not None:
        layer.bn = _batchnorm(*norm)


def _batchnorm(
    gamma: Tensor | None, beta: Tensor | None, mean: Tensor, variance: Tensor, epsilon: float
) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(len(mean), momentum=BATCHNORM_MOMENTUM, affine=gamma is not None)
    if gamma is not None and beta is not None:
        norm.weight.copy_(gamma)
        norm.bias.copy_(beta)
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.copy_(mean)
    norm.running_var.copy_((variance.double() + (epsilon - EPSILON)).clamp(min=0.0))
    return norm.eval()
