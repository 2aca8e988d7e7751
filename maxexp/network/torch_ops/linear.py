"""A fully connected layer in torch."""

import torch.nn.functional as F
from torch import Tensor, nn

from maxexp.network.layer import Layer
from maxexp.network.torch_operation import TorchOperation


class Linear(TorchOperation):
    def build(self, layer: Layer) -> nn.Linear:
        outputs, inputs = layer.weight_shape
        return nn.Linear(inputs, outputs, bias=layer.bias)

    def image(self, layer: Layer, x: Tensor) -> Tensor:
        return x.flatten(1)[..., None, None]

    def kernels(self, layer: Layer, weight: Tensor) -> Tensor:
        return weight[..., None, None]

    def compute(self, layer: Layer, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(x.flatten(1), weight, bias)[..., None, None]


OPERATION = Linear()
