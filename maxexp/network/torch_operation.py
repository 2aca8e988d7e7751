"""The form of an operation in torch: its module, its function, and the same function as a plain convolution."""

from abc import ABC, abstractmethod

import torch.nn.functional as F
from torch import Tensor, nn

from maxexp.network.layer import Layer


class TorchOperation(ABC):
    """One operation with weights; a module of ``torch_ops`` defines it as ``OPERATION``.

    Maps are (N, C, H, W) throughout, those of signals (N, C, L, 1). Whatever an operation is for torch, for the chip
    it is a convolution of ``image`` with ``kernels``; the integer network computes that one.
    """

    @abstractmethod
    def build(self, layer: Layer) -> nn.Module:
        """The torch module that holds ``weight`` of ``layer.weight_shape`` and ``bias`` or None."""

    def image(self, layer: Layer, x: Tensor) -> Tensor:
        """The map that is convolved."""
        return x

    @abstractmethod
    def kernels(self, layer: Layer, weight: Tensor) -> Tensor:
        """Returns the weights as kernels (outputs, inputs, height, width) of that convolution."""

    def by_input(self, layer: Layer, weight: Tensor) -> Tensor:
        """A view of the weights as (outputs, input channels, weights of the channel)."""
        return weight.view(len(weight), layer.in_shape[0], -1)

    def compute(self, layer: Layer, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The operation with the given parameters: (N, outputs, H, W)."""
        image, kernels = self.image(layer, x), self.kernels(layer, weight)
        return F.conv2d(image, kernels, bias, padding=layer.padding, dilation=layer.dilation)


def initialize(convolution: nn.Conv1d | nn.Conv2d) -> None:
    """Initializes weights as Kaiming does for a ReLU behind the convolution, biases of zero."""
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
