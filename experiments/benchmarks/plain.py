"""The plain way to train for the MAX78000, as a reference: what ai8x-training does, written in ordinary torch.

Images are decoded to PIL and transformed one by one in worker processes; the network computes in float32 and NCHW;
in quantization-aware training the scale of every layer is found by sorting its weights in every forward pass.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class StraightThrough(torch.autograd.Function):
    """``floor(x * 128 + 1/2) / 128``; the gradient passes."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return (x * 128 + 0.5).floor() / 128

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return gradient


class PlainLayer(nn.Module):
    """Pooling, convolution or linear, batch norm / 4, ReLU, clamp."""

    def __init__(self, inputs: int, outputs: int, kernel: int, pool: bool = False, linear: bool = False) -> None:
        super().__init__()
        self.pool, self.linear, self.quantized = pool, linear, False
        self.op = nn.Linear(inputs, outputs) if linear else nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        self.bn = None if linear else nn.BatchNorm2d(outputs, affine=False, momentum=0.05)

    def forward(self, x: Tensor) -> Tensor:
        if self.pool:
            x = F.max_pool2d(x, 2)
        weight, bias, shift = self.op.weight, self.op.bias, 0.0
        if self.quantized:
            magnitudes = torch.cat((weight.flatten(), bias)).detach().abs().sort().values
            reach = magnitudes[int(0.995 * (len(magnitudes) - 1))]
            shift = -(1 / reach).log2().floor().clamp(-15, 15)
            weight, bias = (StraightThrough.apply(p * 2.0**-shift).clamp(-1, 127 / 128) for p in (weight, bias))
        if self.linear:
            return F.linear(x.flatten(1), weight, bias)
        x = F.conv2d(x, weight, bias, padding=self.op.padding)
        if self.bn is not None:
            x = self.bn(x) / 4
        x = F.relu(x * 2.0**shift)
        return (StraightThrough.apply(x) if self.quantized else x).clamp(-1, 127 / 128)

    def quantize(self) -> None:
        """Leave batch norm out and round from now on; how well that works does not matter for its speed."""
        self.bn, self.quantized = None, True


def plain_nascifarnet() -> nn.Sequential:
    """NASCifarNet for 10 classes."""
    shapes = [(3, 64, 3), (64, 32, 1), (32, 64, 3), (64, 32, 3, True), (32, 64, 1), (64, 128, 3, True)]
    shapes += [(128, 128, 1), (128, 64, 3, True), (64, 128, 3), (128, 128, 1, True)]
    return nn.Sequential(*(PlainLayer(*shape) for shape in shapes), PlainLayer(512, 10, 1, linear=True))
