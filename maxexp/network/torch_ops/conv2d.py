"""Convolution of maps in torch."""

from torch import Tensor, nn

from maxexp.network.layer import Layer
from maxexp.network.torch_operation import TorchOperation, initialize


class Conv2d(TorchOperation):
    def build(self, layer: Layer) -> nn.Conv2d:
        outputs, inputs = layer.weight_shape[:2]
        convolution = nn.Conv2d(inputs, outputs, layer.kernel_size, padding=layer.padding, bias=layer.bias)
        initialize(convolution)
        return convolution

    def kernels(self, layer: Layer, weight: Tensor) -> Tensor:
        return weight


OPERATION = Conv2d()
