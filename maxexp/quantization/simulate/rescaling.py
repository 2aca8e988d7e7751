"""Factors on tensors, folded into the weights around them; the function of a network stays as it was.

ReLU, |x|, pooling, addition and convolution all commute with positive factors, one for a whole tensor or one for
each of its channels: ``W <- W f_in / f_out`` and ``B <- B / f_out``.
"""

from collections.abc import Collection

import torch
from torch import Tensor

from maxexp.network.module import NetworkModule


@torch.no_grad()
def divide_tensors(module: NetworkModule, names: Collection[str], factor: Tensor) -> None:
    """Divides tensors by a positive factor, in place, and multiplies by it where they are read.

    Args:
        names: tensors that must keep one scale: one of the network's ``tied_tensors``. If the output of the
            network is among them, it becomes smaller by the factor.
        factor: () or (channels,).
    """
    for layer in module.layers():
        if layer.op is None:
            continue
        column = factor.to(layer.weight).reshape(-1, 1)
        if layer.spec.inputs[0] in names:
            layer.weight_by_input.mul_(column)
        if layer.spec.name in names:
            # Not through flatten: of weights in channels_last, as training leaves them, that is a copy.
            layer.weight_by_output.div_(column.reshape(-1, *(1,) * (layer.weight.dim() - 1)))
            if layer.bias is not None:
                layer.bias.div_(column.flatten())
