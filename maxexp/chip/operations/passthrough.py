"""Layers without an operation on the accelerator: sums, pooling and copies."""

from math import prod

from maxexp.chip.operation import ChipOperation, limit
from maxexp.chip.part import Part
from maxexp.network.layer import Layer


class Passthrough(ChipOperation):
    """Each quadrant writes its own channels, so more quadrants are faster."""

    cycles_by_place = True

    def check(self, layer: Layer, part: Part) -> None:
        if layer.pool and layer.pooled_shape[1:] != (1, 1):
            allowed = part.processors.count * part.limits.passthrough_pool_passes
            what, remedy = "channels pooled by a passthrough layer", "pool in front of a convolution instead"
            limit(layer, part, layer.in_shape[0], allowed, what, remedy)

    def columns(self, layer: Layer, bits: int, part: Part) -> int:
        return 0

    def cycles(self, layer: Layer, part: Part, kernel_offset: int, first_processor: int) -> int:
        passes = part.processors.passes(layer.in_shape[0])
        if passes > 1 and layer.pool is not None:
            passes = 2 * passes - 1
        area = prod(layer.pool_size)
        if layer.operands > 1 and layer.pool is not None:
            words = passes * (layer.operands * area + 1)
        else:
            words = passes * layer.operands * (area + 1)
        pixels = layer.pooled_shape[1] * layer.pooled_shape[2]
        return pixels * (words + passes * self._timeslots(layer, part, first_processor))

    def words(self, layer: Layer) -> dict[str, object]:
        return {"operation": "passthrough"}

    def _timeslots(self, layer: Layer, part: Part, first_processor: int) -> int:
        """Words that the busiest quadrant writes for each pixel and pass."""
        each = part.processors.per_quadrant
        stop = first_processor + part.processors.used(layer.in_shape[0])
        quadrants = range(0, part.processors.count, each)
        in_quadrant = max(min(stop, q + each) - max(first_processor, q) for q in quadrants)
        return (in_quadrant - 1) // part.processors.per_instance + 1


OPERATION = Passthrough()
