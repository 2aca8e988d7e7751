"""Convolution of maps on the accelerator."""

from maxexp.chip.convolution import Convolution
from maxexp.chip.operation import refuse
from maxexp.chip.part import Part
from maxexp.network.layer import Layer
from maxexp.network.sizes import dimensions

KERNELS = ((1, 1), (3, 3))


class Conv2d(Convolution):
    def check(self, layer: Layer, part: Part) -> None:
        if layer.kernel_size not in KERNELS:
            known = " and ".join(map(dimensions, KERNELS))
            refuse(layer, f"kernel_size {dimensions(layer.kernel_size)}; {part.name} has kernels of {known}")
        if layer.padding[0] != layer.padding[1]:
            refuse(layer, f"padding {dimensions(layer.padding)}; {part.name} pads rows and columns alike")
        super().check(layer, part)

    def words(self, layer: Layer) -> dict[str, object]:
        return {"operation": "conv2d", "kernel_size": dimensions(layer.kernel_size), "pad": layer.padding[0]}


OPERATION = Conv2d()
