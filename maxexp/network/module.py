"""The torch module of a network; what numbers its values may take is left to its numerics."""

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from maxexp.network.config import Activation, BatchNorm, Pool
from maxexp.network.graph import INPUT, Network
from maxexp.network.layer import Layer
from maxexp.network.operations import OPERATIONS
from maxexp.network.torch_ops import TORCH_OPERATIONS

BATCHNORM_MOMENTUM = 0.05
"""As in ai8x-training (docs/hardware.md, Batch normalization)."""


class Numerics:
    """What happens to values between the operations of one layer; this one lets them be (plain floats)."""

    def operands(self, tensors: list[Tensor]) -> Tensor:
        """Returns the element-wise sum of the operands."""
        return sum(tensors[1:], tensors[0])

    def pooled(self, layer: "LayerModule", x: Tensor) -> Tensor:
        """Returns the averages of ``x`` (N, C, H, W) over the pooling windows."""
        return F.avg_pool2d(x, layer.window(x), layer.spec.pool_stride)

    def operation(self, layer: "LayerModule", x: Tensor) -> Tensor:
        """Applies operation, batch normalization and activation."""
        return activate(layer.normalize(layer.compute(x, layer.weight, layer.bias)), layer.spec.activation)


def activate(x: Tensor, activation: Activation) -> Tensor:
    """The activation of a layer without further effects."""
    if activation is Activation.relu:
        return F.relu(x)
    return x.abs() if activation is Activation.abs else x


class LayerModule(nn.Module):
    """One hardware layer: operands, pooling, dropout, operation with batch norm and activation.

    Parameters are ``op.weight``, ``op.bias`` and ``bn.*``, as in the maker's checkpoints.
    """

    op: nn.Module | None
    bn: nn.BatchNorm2d | None

    def __init__(self, spec: Layer) -> None:
        super().__init__()
        self.spec = spec
        self.numerics: Numerics = Numerics()
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else nn.Identity()
        self._form = TORCH_OPERATIONS[spec.op] if spec.has_weights else None
        self.op = self._form.build(spec) if self._form else None
        self.bn = None
        if spec.batchnorm is not BatchNorm.none:
            affine = spec.batchnorm is BatchNorm.affine
            self.bn = nn.BatchNorm2d(spec.out_shape[0], momentum=BATCHNORM_MOMENTUM, affine=affine)

    @property
    def weight(self) -> Tensor:
        """Returns the weights of the operation; only for layers that have one."""
        assert self.op is not None
        return cast(Tensor, self.op.weight)

    @property
    def bias(self) -> Tensor | None:
        """Biases of the operation, if it has any."""
        return None if self.op is None else cast(Tensor | None, self.op.bias)

    @property
    def weight_by_output(self) -> Tensor:
        """A view of the weights with the output channels first."""
        return self.weight.movedim(OPERATIONS[self.spec.op].output_axis, 0)

    @property
    def weight_by_input(self) -> Tensor:
        """A view of the weights as (outputs, input channels, weights of the channel)."""
        assert self._form is not None
        return self._form.by_input(self.spec, self.weight)

    def forward(self, *tensors: Tensor) -> Tensor:
        x = self.numerics.operands(list(tensors)) if len(tensors) > 1 else tensors[0]
        if self.spec.in_size is not None:
            x = x.flatten(2).unflatten(2, self.spec.in_size)
        if self.spec.pool is Pool.max:
            x = F.max_pool2d(x, self.window(x), self.spec.pool_stride)
        elif self.spec.pool is Pool.avg:
            x = self.numerics.pooled(self, x)
        if self.op is None:
            return x
        return self.numerics.operation(self, self.dropout(x))

    def window(self, x: Tensor) -> tuple[int, int]:
        """Rows and columns of the pooling window: what pools a whole map does so with smaller images, too."""
        rows, cols = x.shape[2:]
        high, wide = self.spec.pool_size
        return min(high, rows), min(wide, cols)

    def compute(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The bare operation with the given parameters; (N, out, H, W)."""
        assert self._form is not None
        return self._form.compute(self.spec, x, weight, bias)

    def normalize(self, x: Tensor) -> Tensor:
        """Returns the batch normalization where the layer has it."""
        return x if self.bn is None else self.bn(x)


class NetworkModule(nn.Module):
    """Layers as named children, run in order.

    Input: (N, C, H, W) in the range -1 to 127/128. Output: (N, outputs).
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        for layer in network:
            self.add_module(layer.name, LayerModule(layer))

    def layers(self) -> list[LayerModule]:
        """The layer modules in order of execution."""
        return [cast(LayerModule, self.get_submodule(layer.name)) for layer in self.network]

    def forward(self, inputs: Tensor) -> Tensor:
        tensors = {INPUT: inputs}
        for index, module in enumerate(self.layers()):
            names = module.spec.inputs
            output = module(*(tensors[name] for name in names))
            for name in set(names):
                if self.network.last_use[name] == index:
                    del tensors[name]
            tensors[module.spec.name] = output
        return output.flatten(1)
