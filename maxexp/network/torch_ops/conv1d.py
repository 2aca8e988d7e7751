"""Convolution of signals in torch."""

from torch import Tensor, nn

from maxexp.network.layer import Layer
from maxexp.network.torch_operation import TorchOperation, initialize


class Conv1d(TorchOperation):
    def build(self, layer: Layer) -> nn.Conv1d:
        outputs, inputs, length = layer.weight_shape
        padding, dilation = layer.padding[0], layer.dilation[0]
        convolution = nn.Conv1d(inputs, outputs, length, padding=padding, dilation=dilation, bias=layer.bias)
        initialize(convolution)
        return convolution

    def kernels(self, layer: Layer, weight: Tensor) -> Tensor:
        return weight[..., None]


OPERATION = Conv1d()
