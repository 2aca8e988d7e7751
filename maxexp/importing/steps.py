"""A network of others as a graph of plain steps: what is left of torch modules and ONNX nodes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NoReturn

from torch import Tensor

from maxexp.base.errors import NetworkError
from maxexp.network.sizes import Size

INPUT = "input"
"""Name of the network's input."""


@dataclass(frozen=True)
class Convolution:
    """Cross-correlation, of signals with one column.

    Attributes:
        weight: (out, in / groups, height, width), or (out, in / groups, length) of a signal.
        padding: rows or samples before and behind, columns left and right.
    """

    weight: Tensor
    bias: Tensor | None
    stride: Size = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: Size = (1, 1)
    groups: int = 1


@dataclass(frozen=True)
class Dense:
    """A fully connected layer; weight (out, in)."""

    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True)
class Scaling:
    """A factor and an offset for each channel, or one for all: batch norm, or arithmetic with constants.

    Attributes:
        norm: gamma, beta, mean, variance and epsilon of a batch norm; None of other arithmetic.
    """

    gain: Tensor
    offset: Tensor
    norm: tuple[Tensor | None, Tensor | None, Tensor, Tensor, float] | None = None


@dataclass(frozen=True)
class Activate:
    """``relu`` or ``abs``; any other function of single numbers by its name."""

    name: str


@dataclass(frozen=True)
class Clip:
    """Values limited from below and above."""

    low: float | None
    high: float | None


@dataclass(frozen=True)
class Pooling:
    """``max`` or ``avg``; of whole maps where ``size`` is None."""

    kind: str
    size: Size | None = None
    stride: Size | None = None
    padding: Size = (0, 0)
    dilation: Size = (1, 1)
    ceil: bool = False


@dataclass(frozen=True)
class Sum:
    """Element-wise sum of its inputs."""


@dataclass(frozen=True)
class Flatten:
    """All values of an example in a row, channel by channel."""


@dataclass(frozen=True)
class Dropout:
    """Without effect after the training."""

    share: float = 0.0


@dataclass(frozen=True)
class Unknown:
    """What nobody here knows, such as a transposed convolution.

    Attributes:
        what: as the source names it.
        remedy: what to put there.
    """

    what: str
    remedy: str = "use convolutions, batch norm, ReLU, pooling, sums, linear layers, flatten and dropout"


Operation = Convolution | Dense | Scaling | Activate | Clip | Pooling | Sum | Flatten | Dropout | Unknown


@dataclass(frozen=True)
class Step:
    """One step of the graph.

    Attributes:
        name: of its output, as the source names it.
        inputs: names of what it reads.
    """

    name: str
    operation: Operation
    inputs: tuple[str, ...]


@dataclass
class Graph:
    """Steps in an order in which they can be computed; the last one's output is the network's."""

    steps: list[Step] = field(default_factory=list)

    @property
    def readers(self) -> Counter[str]:
        """Returns how often each output is read; the last one by the caller."""
        counts = Counter(name for step in self.steps for name in step.inputs)
        counts[self.steps[-1].name] += 1
        return counts


def refuse(step: Step | str, text: str) -> NoReturn:
    """Raises a NetworkError about a step."""
    name = step if isinstance(step, str) else step.name
    raise NetworkError(f"{name}: {text}")
