"""What does not fit into one of the chip's memories."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Excess:
    """The first layer that does not fit, and what it lacks: columns of kernels, or bytes of biases."""

    layer: str
    amount: int
