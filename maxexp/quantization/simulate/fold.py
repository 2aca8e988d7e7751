"""Batch normalization folded into the weights of the operation before it."""

import torch
from torch import Tensor, nn

from maxexp.network.module import LayerModule, NetworkModule
from maxexp.quantization.simulate.fake import MAKER_BATCHNORM_FACTOR, ClampedNumerics


@torch.no_grad()
def fold_batchnorm(module: NetworkModule) -> None:
    """Folds in place: ``W <- W g r`` and ``B <- (B - mean) g r + beta``, ``r = 1 / sqrt(var + eps)``.

    Computed in float64. Where the layer was trained with the maker's clamp, its factor 1/4 on the output of
    the normalization is folded too (docs/hardware.md, Batch normalization).
    """
    for layer in module.layers():
        if layer.bn is not None:
            _fold(layer, layer.bn)


def _fold(layer: LayerModule, bn: nn.BatchNorm2d) -> None:
    assert bn.running_mean is not None and bn.running_var is not None and layer.bias is not None
    mean, variance = bn.running_mean.double(), bn.running_var.double()
    gain, offset = 1 / (variance + bn.eps).sqrt(), torch.zeros_like(mean)
    if bn.affine:
        gain, offset = gain * bn.weight.double(), bn.bias.double()
    factor = MAKER_BATCHNORM_FACTOR if isinstance(layer.numerics, ClampedNumerics) else 1.0
    weight = layer.weight_by_output
    weight.copy_(weight.double() * (gain * factor).reshape(-1, *(1,) * (weight.dim() - 1)))
    layer.bias.copy_(((layer.bias.double() - mean) * gain + offset) * factor)
    layer.bn = None


@torch.no_grad()
def estimate_batchnorm(module: NetworkModule, inputs: Tensor, batch_size: int = 256) -> None:
    """Sets the running statistics to those of ``inputs`` (N, C, H, W), equal weight for every batch.

    For a network that has not been trained: its running statistics say nothing yet.
    """
    norms = [layer.bn for layer in module.layers() if layer.bn is not None]
    momenta = [norm.momentum for norm in norms]
    training = module.training
    # Only the norms are in training mode: the statistics are for a network without dropout.
    module.eval()
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None
    for batch in inputs.split(batch_size):
        module(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    module.train(training)
