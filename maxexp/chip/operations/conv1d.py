"""Convolution of signals on the accelerator."""

from maxexp.chip.convolution import Convolution
from maxexp.chip.operation import refuse
from maxexp.chip.part import Part
from maxexp.network.layer import Layer
from maxexp.network.sizes import Size

MAX_KERNEL = 9
"""Numbers in a column of kernel memory."""


class Conv1d(Convolution):
    """Kernel memory holds a kernel with its dilation, zeros between its weights."""

    def check(self, layer: Layer, part: Part) -> None:
        length, dilation = layer.kernel_size[0], layer.dilation[0]
        reach, _ = self.kernel_size(layer)
        if reach > MAX_KERNEL:
            spread = "" if dilation == 1 else f" and dilation {dilation}, which reach over {reach} samples"
            refuse(layer, f"kernel_size {length}{spread}; {part.name} has kernels of up to {MAX_KERNEL} samples")
        if dilation > 1 and length == 1:
            refuse(layer, f"dilation {dilation} of a kernel of one sample; set dilation: 1")
        if layer.operands > 1:
            refuse(layer, f"{part.name} has no conv1d behind a sum; add in a passthrough layer in front of it")
        if layer.padding[0] and not part.quirks.conv1d_pads_passes and part.processors.passes(layer.in_shape[0]) > 1:
            refuse(
                layer,
                f"{part.name} does not pad a conv1d of more than {part.processors.count} channels; set padding: 0",
            )
        super().check(layer, part)

    def shown(self, size: Size) -> str:
        return str(size[0])

    def kernel_size(self, layer: Layer) -> Size:
        return layer.dilation[0] * (layer.kernel_size[0] - 1) + 1, 1

    def weight_bytes(self, layer: Layer, bits: int) -> int:
        outputs, inputs, _ = layer.weight_shape
        return outputs * inputs * self.kernel_size(layer)[0] * bits // 8

    def words(self, layer: Layer) -> dict[str, object]:
        keys: dict[str, object] = {
            "operation": "conv1d",
            "kernel_size": layer.kernel_size[0],
            "pad": layer.padding[0],
        }
        return keys if layer.dilation[0] == 1 else keys | {"dilation": layer.dilation[0]}


OPERATION = Conv1d()
