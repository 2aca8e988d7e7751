"""A fully connected layer."""

from math import prod

from maxexp.network.config import LayerConfig
from maxexp.network.operation import Geometry, Operation
from maxexp.network.sizes import Shape


class Linear(Operation):
    """Every output sees every input; maps are flattened in row-major order; weights (out, in)."""

    outputs = "out_features"
    keys = frozenset({"dropout", "wide"})

    def geometry(self, name: str, entry: LayerConfig, in_shape: Shape, outputs: int) -> Geometry:
        return Geometry(
            out_shape=(outputs, 1, 1), weight_shape=(outputs, prod(in_shape)), flatten=in_shape[1:] != (1, 1)
        )


OPERATION = Linear()
