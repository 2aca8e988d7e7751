"""Small networks as people write them in torch, of what torchvision's are made of."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Sequential(nn.Sequential):
    """As in tutorials: convolution, batch norm, ReLU, pooling, flatten, linear."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32, eps=1e-3), nn.ReLU(inplace=True),
            nn.Dropout2d(0.1), nn.AvgPool2d(4), nn.Conv2d(32, 16, 1), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(16 * 4 * 4, 10),
        )  # fmt: skip


class Functional(nn.Module):
    """Functions instead of modules, ReLU behind the pooling, a batch norm of a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3)
        self.conv2 = nn.Conv2d(8, 16, 3, padding="same")
        self.fc1 = nn.Linear(16 * 3 * 3, 32)
        self.norm = nn.BatchNorm1d(32)
        self.fc2 = nn.Linear(32, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.max_pool2d(torch.relu(self.conv2(x) * 0.5 + 0.1), 2)
        x = x.view(x.size(0), -1)
        x = F.dropout(F.relu(self.norm(self.fc1(x))), training=self.training)
        return self.fc2(x)


class Block(nn.Module):
    """A residual block whose ReLU stands in front of the sum."""

    def __init__(self, reads: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(reads, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Conv2d(reads, channels, 1) if reads != channels else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y))) + self.shortcut(x)


class Residual(nn.Module):
    """Two blocks, a pooling of the whole map, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.block1, self.block2 = Block(8, 8), Block(8, 16)
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block2(F.max_pool2d(self.block1(self.stem(x)), 2))
        return self.fc(torch.flatten(self.pool(x), 1))


class Squeeze(nn.Module):
    """Ends in the mean of each class's map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, padding=1)
        self.classes = nn.Conv2d(12, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.conv(x).abs()).mean([2, 3])


class Signal(nn.Module):
    """Of a signal of several channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(4, 8, 5, padding=2)
        self.norm = nn.BatchNorm1d(8)
        self.conv2 = nn.Conv1d(8, 8, 3, padding=2, dilation=2)
        self.fc = nn.Linear(8 * 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool1d(F.relu(self.norm(self.conv1(x))), 2)
        x = F.relu(self.conv2(x))
        return self.fc(x.flatten(1))


KINDS: dict[str, tuple[type[nn.Module], tuple[int, ...]]] = {
    "sequential": (Sequential, (3, 32, 32)),
    "functional": (Functional, (1, 14, 14)),
    "residual": (Residual, (3, 16, 16)),
    "squeeze": (Squeeze, (3, 8, 8)),
    "signal": (Signal, (4, 32)),
}
"""By name, with the shape of an example."""


def made(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """A network with weights and statistics as after some training, and the shape of an example."""
    torch.manual_seed(7)
    kind, shape = KINDS[name]
    module = kind()
    for each in module.modules():
        if isinstance(each, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(each.weight, 0.5, 1.5)
            nn.init.normal_(each.bias, std=0.2)
            nn.init.normal_(each.running_mean, std=0.2)
            nn.init.uniform_(each.running_var, 0.5, 2)
    return module.eval(), shape


def inputs(shape: tuple[int, ...], count: int = 8) -> Tensor:
    """Random examples in the range of the chip."""
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
