"""Fully connected layers on the accelerator: 1x1 convolutions, whose channels may be the pixels of a map."""

from math import ceil

from maxexp.chip.convolution import Convolution
from maxexp.chip.operation import limit, refuse
from maxexp.chip.part import Part
from maxexp.network.layer import Layer

FLATTEN_ENGINE_WORDS = 16
"""Words (pixels times passes) above which the hardware's flatten engine is used, at one extra cycle."""


class Linear(Convolution):
    def check(self, layer: Layer, part: Part) -> None:
        if layer.pool is not None:
            refuse(
                layer,
                f"{part.name} has no pooling in front of a linear layer; pool in front of a 1x1 conv2d or in a "
                "passthrough layer",
            )
        if not layer.flatten:
            return
        channels, rows, cols = layer.in_shape
        passes = part.processors.passes(channels)
        # Counted in a field of 8 bits, which would spill into that of the weights' width (docs/hardware.md,
        # Registers, POST).
        what = f"pixels times passes to flatten ({rows}x{cols}x{passes})"
        limit(layer, part, self._words(layer, part), part.limits.flatten_words, what, "pool in front of it")
        if channels != passes * part.processors.used(channels):
            # The synthesizer deals out the inputs of a flattening layer evenly to passes and processors.
            even = passes * part.processors.per_instance
            refuse(
                layer, f"{channels} channels cannot be flattened in {passes} passes; make them a multiple of {even}"
            )
        if layer.operands > 1:
            # Accepted by the synthesizer, but what the flatten engine makes of interleaved operands is not known.
            refuse(layer, f"{part.name} cannot flatten a sum; add in a passthrough layer in front of it")

    def slots(self, layer: Layer, part: Part) -> int:
        return layer.out_shape[0] if layer.flatten else super().slots(layer, part)

    def kernels(self, layer: Layer, part: Part) -> int:
        return self.slots(layer, part) * self._words(layer, part)

    def written_columns(self, layer: Layer, bits: int, part: Part) -> int:
        """Returns the columns that are written: of a flattened map also the outputs that the last pass lacks."""
        if not layer.flatten:
            return super().written_columns(layer, bits, part)
        columns, channels = self.columns(layer, bits, part), layer.out_shape[0]
        passes = part.processors.passes(channels)
        if passes == 1 or bits < 8:
            return columns
        missing = passes * part.processors.used(channels) - channels
        return max(columns, ceil((self.kernels(layer, part) + missing) * bits / (8 * part.memories.column_bytes)))

    def logged_columns(self, layer: Layer, bits: int, part: Part) -> int:
        return self.written_columns(layer, bits, part) if layer.flatten else self.columns(layer, bits, part)

    def cycles(self, layer: Layer, part: Part, kernel_offset: int, first_processor: int) -> int:
        engine = layer.flatten and self._words(layer, part) > FLATTEN_ENGINE_WORDS
        return super().cycles(layer, part, kernel_offset, first_processor) + engine

    def words(self, layer: Layer) -> dict[str, object]:
        keys: dict[str, object] = {"operation": "mlp"}
        if layer.flatten:
            # With in_sequences the synthesizer would take the channels of a pixel for all inputs.
            keys |= {"flatten": "true", "in_channels": layer.weight_shape[1]}
        return keys

    def _words(self, layer: Layer, part: Part) -> int:
        """Words that the input takes on each processor."""
        channels, rows, cols = layer.pooled_shape
        return rows * cols * part.processors.passes(channels)


OPERATION = Linear()
