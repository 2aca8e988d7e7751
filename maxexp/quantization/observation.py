"""A look at the tensors that a network computes between its layers."""

from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor

from maxexp.network.module import NetworkModule


@torch.no_grad()
def observe(
    module: NetworkModule,
    inputs: Tensor,
    batch_size: int,
    output: Callable[[str, Tensor], None],
    total: Callable[[str, Tensor], None] | None = None,
) -> None:
    """Run a network in evaluation mode and show its tensors, batch by batch.

    Args:
        inputs: (N, C, H, W) as the network reads them.
        output: called with the name of each layer and its output.
        total: called with the name of the first operand of each element-wise sum, and the sum.
    """
    training = module.training
    with ExitStack() as stack:
        for layer in module.layers():
            spec = layer.spec
            hook = layer.register_forward_hook(lambda _, __, y, name=spec.name: output(name, y))
            stack.callback(hook.remove)
            if total and spec.operands > 1:
                first = spec.inputs[0]
                hook = layer.register_forward_pre_hook(lambda _, xs, name=first: total(name, torch.stack(xs).sum(0)))
                stack.callback(hook.remove)
        stack.callback(module.train, training)
        module.eval()
        for batch in inputs.split(batch_size):
            module(batch)
