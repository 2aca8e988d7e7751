"""Batch normalization folded into the weights of the operation before it."""

import torch
from torch import Tensor

from maxexp.network.module import LayerModule, NetworkModule
from maxexp.quantization.fake import MAKER_BATCHNORM_FACTOR, ClampedNumerics


@torch.no_grad()
def fold_batchnorm(module: NetworkModule) -> None:
    """Fold in place: ``W <- W g r`` and ``B <- (B - mean) g r + beta``, ``r = 1 / sqrt(var + eps)``.

    Computed in float64. Where the layer was trained with the maker's clamp, its factor 1/4 on the output of
    the normalization is folded too (hardware.md 2.4).
    """
    for layer in module.layers():
        if layer.bn is not None:
            _fold(layer)


def _fold(layer: LayerModule) -> None:
    bn = layer.bn
    mean, variance = bn.running_mean.double(), bn.running_var.double()
    ones = torch.ones_like(mean)
    gain = (ones if bn.weight is None else bn.weight.double()) / (variance + bn.eps).sqrt()
    offset = torch.zeros_like(mean) if bn.bias is None else bn.bias.double()
    factor = MAKER_BATCHNORM_FACTOR if isinstance(layer.numerics, ClampedNumerics) else 1.0
    weight, bias = layer.op.weight, layer.op.bias
    weight.copy_(weight.double() * (gain * factor)[:, None, None, None])
    bias.copy_(((bias.double() - mean) * gain + offset) * factor)
    layer.bn = None


@torch.no_grad()
def estimate_batchnorm(module: NetworkModule, inputs: Tensor, batch_size: int = 256) -> None:
    """Set the running statistics to those of ``inputs`` (N, C, H, W), equal weight for every batch.

    For a network that has not been trained: its running statistics say nothing yet.
    """
    norms = [layer.bn for layer in module.layers() if layer.bn is not None]
    momenta = [norm.momentum for norm in norms]
    training = module.training
    module.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    for batch in inputs.split(batch_size):
        module(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    module.train(training)
