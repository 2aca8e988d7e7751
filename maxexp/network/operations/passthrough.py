"""No operation: what a layer reads, combined and pooled as it says, is its output."""

from maxexp.network.config import LayerConfig
from maxexp.network.operation import Geometry, Operation
from maxexp.network.sizes import Shape


class Passthrough(Operation):
    """The identity; it has no weights and no activation."""

    keys = frozenset({"in_size"})

    def geometry(self, name: str, entry: LayerConfig, in_shape: Shape, outputs: int) -> Geometry:
        return Geometry(out_shape=in_shape)


OPERATION = Passthrough()
