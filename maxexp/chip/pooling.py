"""Pooling on the accelerator: windows of any form, one stride for rows and columns."""

from maxexp.chip.operation import refuse
from maxexp.chip.part import Part
from maxexp.network.layer import Layer
from maxexp.network.sizes import dimensions


def check_pooling(layer: Layer, part: Part) -> None:
    """Refuses windows and strides that the part does not have; raises DeviceError."""
    size, stride, most = dimensions(layer.pool_size), dimensions(layer.pool_stride), part.limits.pool
    # A window of one pixel is plain sub-sampling, which the chip counts and combines differently.
    if max(layer.pool_size) > most or layer.pool_size == (1, 1):
        refuse(layer, f"pool_size {size}; {part.name} pools windows of 2 to {most} rows or columns")
    if max(layer.pool_stride) > most:
        refuse(layer, f"pool_stride {stride}; {part.name} has strides of 1 to {most}")
    if common_stride(layer) is None:
        refuse(
            layer,
            f"pool_stride {stride}; {part.name} has one stride for both directions; set pool_stride to one",
        )


def common_stride(layer: Layer) -> int | None:
    """The stride of rows and columns, of which one does not matter where a map has one row or column."""
    (down, right), (_, rows, cols) = layer.pool_stride, layer.in_shape
    if down == right or cols == 1:
        return down
    return right if rows == 1 else None
