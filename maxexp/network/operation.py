"""What an operation says of itself: the keys it reads, its shapes and its weights.

No torch is imported here or in ``operations``, so that a network is refused in milliseconds; and no chip is known, so
that a teacher need not fit one.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NoReturn

from maxexp.base.errors import NetworkError
from maxexp.network.config import LayerConfig
from maxexp.network.sizes import Shape, Size, as_size


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Sizes of one operation behind its pooling.

    Attributes:
        out_shape: (C, H, W).
        weight_shape: of its weights in PyTorch's order; empty without weights.
        kernel_size: (height, width); (1, 1) where nothing is convolved.
        padding: rows and columns of zeros on each side.
        dilation: steps between the pixels that a kernel reads, down and across.
        flatten: whether it reads all pixels of a map as channels.
    """

    out_shape: Shape
    weight_shape: tuple[int, ...] = ()
    kernel_size: Size = (1, 1)
    padding: Size = (0, 0)
    dilation: Size = (1, 1)
    flatten: bool = False


class Operation(ABC):
    """One operation of the grammar; a module of ``operations`` defines it as ``OPERATION``.

    Attributes:
        outputs: the key of :class:`LayerConfig` that says how many channels it gives; None if as many as it reads.
        keys: the keys that it reads, of those that not all operations read.
        output_axis: the axis of its weights that counts output channels.
    """

    outputs: str | None = None
    keys: frozenset[str] = frozenset()
    output_axis: int = 0

    @abstractmethod
    def geometry(self, name: str, entry: LayerConfig, in_shape: Shape, outputs: int) -> Geometry:
        """Shapes for an input of ``in_shape``, already pooled; sizes of the output below 1 mean that it is too small.

        Args:
            name: of the layer, for messages.
            entry: its description.
            outputs: output channels.

        Raises:
            NetworkError: a key has a value without meaning.
        """


def refuse(name: str, text: str) -> NoReturn:
    """Raises a NetworkError about a layer; ``text`` begins with ``.key``, or with a colon."""
    raise NetworkError(f"model.layers.{name}{text}")


def size_key(name: str, entry: LayerConfig, key: str, least: int) -> Size:
    """The size that a key gives.

    Raises:
        NetworkError: it is neither a number nor a pair, or below ``least``.
    """
    value = getattr(entry, key)
    size = as_size(value)
    if size is None:
        refuse(name, f".{key}={value}: must be a whole number, or a pair [height, width]")
    if min(size) < least:
        refuse(name, f".{key}={value}: must be at least {least}")
    return size


def convolved(length: int, kernel: int, padding: int, dilation: int = 1) -> int:
    """Pixels of a row or column behind a convolution with stride 1."""
    return length + 2 * padding - dilation * (kernel - 1)
