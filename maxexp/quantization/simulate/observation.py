"""A look at the tensors that a network computes between its layers."""

from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor

from maxexp.network.module import LayerModule, NetworkModule


@torch.no_grad()
def observe(
    module: NetworkModule,
    inputs: Tensor,
    batch_size: int,
    output: Callable[[str, Tensor], None],
    total: Callable[[str, Tensor], None] | None = None,
) -> None:
    """Runs a network in evaluation mode and shows its tensors, batch by batch.

    Args:
        inputs: (N, C, H, W) as the network reads them.
        output: called with the name of each layer and its output.
        total: called with the name of the first operand of each element-wise sum, and the sum as the layer uses it.
    """

    # A hook that returns something replaces the tensor; these return nothing, whatever they call.
    def after(layer: LayerModule, _: tuple[Tensor, ...], result: Tensor) -> None:
        output(layer.spec.name, result)

    def before(layer: LayerModule, operands: tuple[Tensor, ...]) -> None:
        if total and len(operands) > 1:
            total(layer.spec.inputs[0], layer.numerics.operands(list(operands)))

    training = module.training
    with ExitStack() as stack:
        for layer in module.layers():
            stack.callback(layer.register_forward_pre_hook(before).remove)
            stack.callback(layer.register_forward_hook(after).remove)
        stack.callback(module.train, training)
        module.eval()
        for batch in inputs.split(batch_size):
            module(batch)
