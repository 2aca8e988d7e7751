"""The accelerator's layer registers, decoded into what a layer does (docs/hardware.md, Registers)."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from maxexp.base.errors import BoardError
from maxexp.board.emulator.layer_settings import Eltwise, LayerSettings, Operation
from maxexp.chip.part import WORD_BYTES, Part


class Reg(IntEnum):
    """Layer registers by number."""

    RCNT = 0
    CCNT = 1
    ONED = 2
    PRCNT = 3
    PCCNT = 4
    STRIDE = 5
    WPTR_BASE = 6
    WPTR_TOFFS = 7
    WPTR_MOFFS = 8
    WPTR_CHOFFS = 9
    RPTR_BASE = 10
    LCTL = 11
    MCNT = 12
    TPTR = 13
    ENA = 14
    POST = 15
    STREAM1 = 16
    STREAM2 = 17
    FMAX = 18
    LCTL2 = 20


_KNOWN_BITS = {
    Reg.RCNT: 0x303FF,
    Reg.CCNT: 0x303FF,
    Reg.ONED: 0x3FFFFF,
    Reg.PRCNT: 0xF,
    Reg.PCCNT: 0xF,
    Reg.STRIDE: 0xF,
    Reg.WPTR_BASE: 0x1FFFF,
    Reg.WPTR_TOFFS: 0xFFFF,
    Reg.WPTR_MOFFS: 0xFFFF,
    Reg.WPTR_CHOFFS: 0xFFFF,
    Reg.RPTR_BASE: 0x1FFF,
    Reg.LCTL: 0x1FBE0,
    Reg.MCNT: 0xFFFFFFFF,
    Reg.TPTR: 0xFFFFFFFF,
    Reg.ENA: 0xFFFFFFFF,
    Reg.POST: 0x0FFFFFFF,
    Reg.STREAM1: 0,
    Reg.STREAM2: 0,
    Reg.FMAX: 0,
    Reg.LCTL2: 0xFFFFFFFF,
}
"""Bits whose meaning is known here; streaming, transposed and depth-wise convolution have none."""

_OWN_BITS = {Reg.WPTR_BASE: 0x1E000, Reg.LCTL: 0xF000, Reg.ENA: 0xFFFFFFFF, Reg.POST: 0x1FFF}
"""Bits that may differ between quadrants; all others must agree."""

_WEIGHT_BITS = {0: 8, 1: 1, 2: 2, 3: 4}


class _Layer:
    """Field access to one layer's registers, and errors that name them."""

    def __init__(self, index: int, values: NDArray[np.uint32], quadrants: list[int], part: Part) -> None:
        self.index = index
        self.part = part
        self.values = values
        self.quadrants = quadrants
        for reg in Reg:
            self._check_register(reg)

    def _check_register(self, reg: Reg) -> None:
        master = int(self.values[self.quadrants[0], reg])
        for quadrant in self.quadrants:
            value = int(self.values[quadrant, reg])
            self.require(not value & ~_KNOWN_BITS[reg], reg, quadrant)
            self.require(not (value ^ master) & ~_OWN_BITS.get(reg, 0), reg, quadrant)

    def field(self, reg: Reg, low: int, bits: int, quadrant: int | None = None) -> int:
        """Returns ``bits`` bits of a register, from bit ``low``; of the master quadrant by default."""
        value = int(self.values[self.quadrants[0] if quadrant is None else quadrant, reg])
        return value >> low & ((1 << bits) - 1)

    def require(self, known: bool, reg: Reg, quadrant: int | None = None) -> None:
        """Refuses a value whose meaning is not known."""
        if not known:
            quadrant = self.quadrants[0] if quadrant is None else quadrant
            raise BoardError(
                f"emulator: layer {self.index}, quadrant {quadrant}: {reg.name} = "
                f"0x{int(self.values[quadrant, reg]):08x} has no known meaning together with the layer's "
                "other registers; this feature of the accelerator is not modelled, or the configuration is wrong"
            )


def decode_layer(index: int, values: NDArray[np.uint32], quadrants: list[int], part: Part) -> LayerSettings:
    """The settings of one layer.

    Args:
        index: its number, for messages.
        values: uint32 (quadrants, registers): the layer's registers.
        quadrants: those that run, the master first.

    Raises:
        BoardError: a combination of bits whose meaning is not known.
    """
    layer = _Layer(index, values, quadrants, part)
    layer.require(layer.field(Reg.LCTL, 5, 1) == 1 and layer.field(Reg.LCTL, 11, 1) == 1, Reg.LCTL)
    rows, top = _counter(layer, Reg.RCNT)
    cols, left = _counter(layer, Reg.CCNT)
    operation, kernel = _operation(layer)
    pool = _pool(layer)
    passes, engine = _passes(layer)
    operands, eltwise, pool_first = _operands(layer, pool)
    wide = layer.field(Reg.LCTL, 16, 1) == 1
    weight_bits = _WEIGHT_BITS[layer.field(Reg.POST, 22, 2)]
    column, kernels = _kernels(layer, operation, kernel, weight_bits, passes)
    positions, out_passes, pixel_step, pass_step = _output_steps(layer, operation, weight_bits, wide, passes)
    processors = _processors(layer, operation)
    settings = LayerSettings(
        part=part,
        rows=rows,
        cols=cols,
        padding=(top, left),
        pool=pool,
        stride=layer.field(Reg.STRIDE, 0, 4) + 1,
        average=not layer.field(Reg.LCTL, 8, 1),
        chw=layer.field(Reg.LCTL, 6, 1) == 1,
        operands=operands,
        eltwise=eltwise,
        pool_first=pool_first,
        operation=operation,
        kernel=kernel,
        passes=passes,
        flatten_engine=engine,
        weight_bits=weight_bits,
        column=column,
        kernels=kernels,
        positions=positions,
        out_passes=out_passes,
        pixel_step=pixel_step,
        pass_step=pass_step,
        wide=wide,
        relu=layer.field(Reg.LCTL, 9, 1) == 1,
        absolute=layer.field(Reg.POST, 26, 1) == 1,
        shift=layer.field(Reg.POST, 13, 4) * (-1 if layer.field(Reg.POST, 17, 1) else 1),
        bias=_bias(layer),
        processors=_heard(layer, operation, processors),
        read_word=layer.field(Reg.RPTR_BASE, 0, 13),
        write_word=layer.field(Reg.WPTR_BASE, 0, 13),
        write_instance={q: layer.field(Reg.WPTR_BASE, 13, 4, q) for q in quadrants},
        timeslots=layer.field(Reg.ONED, 0, 4) + 1,
    )
    _check_consistency(layer, settings)
    return settings


def _counter(layer: _Layer, reg: Reg) -> tuple[int, int]:
    padding = layer.field(reg, 16, 2)
    size = layer.field(reg, 0, 10) + 1 - 2 * padding
    layer.require(size > 0, reg)
    return size, padding


def _operation(layer: _Layer) -> tuple[Operation, tuple[int, int]]:
    """Returns what the layer computes, from three fields that must agree."""
    length = layer.field(Reg.ONED, 8, 4)
    one_dimensional, combines, then_convolves = (layer.field(Reg.ONED, bit, 1) for bit in (12, 13, 17))
    slots = layer.field(Reg.POST, 24, 2)
    if slots:
        alone = (slots, length, combines) in ((3, 1, 0), (1, 0, 1))
        layer.require(alone and not one_dimensional and not then_convolves, Reg.ONED)
        return Operation.none, (1, 1)
    layer.require(then_convolves == combines, Reg.ONED)
    if one_dimensional:
        layer.require(1 <= length <= 9, Reg.ONED)
        return Operation.conv1d, (length, 1)
    layer.require(length in (0, 1), Reg.ONED)
    return Operation.conv2d, (1, 1) if length else (3, 3)


def _pool(layer: _Layer) -> tuple[int, int]:
    pool = layer.field(Reg.PRCNT, 0, 4) + 1, layer.field(Reg.PCCNT, 0, 4) + 1
    layer.require(layer.field(Reg.LCTL, 7, 1) == (pool != (1, 1)), Reg.LCTL)
    return pool


def _passes(layer: _Layer) -> tuple[int, bool]:
    engine = layer.field(Reg.POST, 27, 1) == 1
    high = layer.field(Reg.POST, 18, 4)
    layer.require(engine == bool(high), Reg.POST)
    last = high << 4 | layer.field(Reg.LCTL2, 0, 4)
    if engine:
        layer.require(layer.field(Reg.TPTR, 0, 32) == last << 16 | 2 * last + 1, Reg.TPTR)
    return last + 1, engine


def _operands(layer: _Layer, pool: tuple[int, int]) -> tuple[int, Eltwise | None, bool]:
    """Operands, their operation, and whether pooling comes first."""
    count = layer.field(Reg.ONED, 18, 4) + 1
    combines = layer.field(Reg.ONED, 13, 1) == 1
    pool_first = layer.field(Reg.ONED, 16, 1) == 1
    layer.require(combines == (count > 1), Reg.ONED)
    layer.require(not pool_first or (combines and pool != (1, 1)), Reg.ONED)
    if not combines:
        layer.require(layer.field(Reg.ONED, 14, 2) == 0, Reg.ONED)
        return 1, None, True
    return count, Eltwise(layer.field(Reg.ONED, 14, 2)), pool_first or pool == (1, 1)


def _kernels(layer: _Layer, operation: Operation, kernel: tuple[int, int], bits: int, passes: int) -> tuple[int, int]:
    """Returns the first column, and kernels on each processor; the register counts eighths of a kernel."""
    first, last = layer.field(Reg.MCNT, 16, 16), layer.field(Reg.MCNT, 0, 16)
    if operation is Operation.none:
        layer.require(first == 0 and last in (0, 8 * (passes - 1)) and not layer.field(Reg.ONED, 4, 4), Reg.MCNT)
        return 0, 0
    layer.require(first % 8 == 0 and last >= first and (last - first) % bits == 0, Reg.MCNT)
    column, rest = divmod(first // 8 * kernel[0] * kernel[1] + layer.field(Reg.ONED, 4, 4), 9)
    kernels = (last - first) // bits + 1
    layer.require(rest == 0 and kernels % passes == 0, Reg.MCNT)
    return column, kernels


def _output_steps(
    layer: _Layer, operation: Operation, bits: int, wide: bool, passes: int
) -> tuple[int, int, int, int]:
    """Positions and passes of the output; words from pixel to pixel and from pass to pass."""
    span, skip = layer.field(Reg.LCTL2, 8, 24), layer.field(Reg.LCTL2, 4, 4) + 1
    pass_step = layer.field(Reg.WPTR_CHOFFS, 0, 16)
    words = WORD_BYTES if wide else 1
    if operation is Operation.none:
        layer.require(span == 0 and not wide, Reg.LCTL2)
        # Passes that are counted as rows are stepped over all the same.
        layer.require(pass_step == skip or (pass_step == 0 and passes == 1), Reg.WPTR_CHOFFS)
        return 0, passes, passes * skip, pass_step
    layer.require(span % bits == 0, Reg.LCTL2)
    if pass_step == 0:
        return span // bits + 1, 1, skip * words, 0
    layer.require(pass_step % words == 0 and skip % (pass_step // words) == 0, Reg.WPTR_CHOFFS)
    out_passes = skip // (pass_step // words)
    layer.require(out_passes > 1, Reg.WPTR_CHOFFS)
    return span // bits + 1, out_passes, skip * words, pass_step


def _bias(layer: _Layer) -> tuple[int, int] | None:
    """Returns the quadrant and first entry of the biases; a quadrant is heard only if the master listens to it."""
    found = [q for q in layer.quadrants if layer.field(Reg.POST, 12, 1, q)]
    for quadrant in layer.quadrants:
        layer.require(quadrant in found or layer.field(Reg.POST, 0, 12, quadrant) == 0, Reg.POST, quadrant)
    if not found:
        return None
    layer.require(len(found) == 1 and found[0] in _sources(layer), Reg.POST, found[0])
    return found[0], layer.field(Reg.POST, 0, 12, found[0])


def _sources(layer: _Layer) -> list[int]:
    """Quadrants whose sums reach the master's output: its own, and those it listens to."""
    master = layer.quadrants[0]
    listened = layer.field(Reg.LCTL, 12, 4)
    for quadrant in layer.quadrants[1:]:
        layer.require(layer.field(Reg.LCTL, 12, 4, quadrant) == 0, Reg.LCTL, quadrant)
    return [q for q in layer.quadrants if q == master or listened >> q & 1]


def _processors(layer: _Layer, operation: Operation) -> list[int]:
    """Returns the enabled processors; a convolution enables the kernels of the same."""
    each, enabled = layer.part.processors.per_quadrant, []
    for quadrant in sorted(layer.quadrants):
        mask = layer.field(Reg.ENA, 0, 16, quadrant)
        weighing = 0 if operation is Operation.none else mask
        layer.require(layer.field(Reg.ENA, 16, 16, quadrant) == weighing, Reg.ENA, quadrant)
        enabled += [each * quadrant + p for p in range(each) if mask >> p & 1]
    layer.require(bool(enabled), Reg.ENA)
    return enabled


def _heard(layer: _Layer, operation: Operation, processors: list[int]) -> list[int]:
    """Processors whose sums count: what the master does not listen to is lost."""
    sources = _sources(layer)
    if operation is Operation.none:
        layer.require(sources == layer.quadrants[:1], Reg.LCTL)
        return processors
    heard = [p for p in processors if p // layer.part.processors.per_quadrant in sources]
    layer.require(bool(heard), Reg.LCTL)
    return heard


def _check_consistency(layer: _Layer, x: LayerSettings) -> None:
    """Registers that follow from others must say the same."""
    convolves, processors = x.operation is not Operation.none, x.part.processors
    # The write pointer's step from one data memory to the next.
    instance_words = x.part.addresses.data_step // WORD_BYTES
    layer.require(min(x.rows - x.pool[0], x.cols - x.pool[1]) >= 0, Reg.PRCNT)
    layer.require(min(x.out_size) > 0, Reg.RCNT)
    layer.require(not x.chw or (x.passes == x.operands == 1), Reg.LCTL)
    layer.require(not x.flatten_engine or (x.rows == x.cols == x.operands == 1 and x.kernel == (1, 1)), Reg.POST)
    layer.require(x.operation is not Operation.conv1d or x.cols == 1, Reg.CCNT)
    layer.require(max(x.padding) < max(x.kernel) or max(x.padding) == 0, Reg.RCNT)
    if not x.flatten_engine:
        line = x.pooled[1] + 2 * x.padding[1] - x.kernel[1]
        expected = line if x.operation is Operation.conv2d and x.kernel != (1, 1) else 0
        layer.require(layer.field(Reg.TPTR, 0, 32) == expected, Reg.TPTR)
    layer.require(layer.field(Reg.WPTR_MOFFS, 0, 16) == (instance_words if convolves else 0), Reg.WPTR_MOFFS)
    step = layer.field(Reg.WPTR_TOFFS, 0, 16)
    if convolves:
        layer.require(step == (x.operation is Operation.conv2d and x.kernel == (1, 1)), Reg.WPTR_TOFFS)
        layer.require(x.timeslots == 1, Reg.ONED)
        layer.require(len(set(x.write_instance.values())) == 1, Reg.WPTR_BASE)
        # Only a flattening layer may leave the end of its last output pass out.
        slots, most = x.kernels // x.passes, x.positions * x.out_passes
        layer.require(slots == most or most - x.positions < slots < most and x.out_passes > 1, Reg.MCNT)
    else:
        words = max(
            -(-sum(p // processors.per_quadrant == q for p in x.processors) // processors.per_instance)
            for q in x.write_instance
        )
        layer.require(x.timeslots == words, Reg.ONED)
        layer.require(
            step == instance_words or (words == 1 and step == instance_words // processors.per_instance),
            Reg.WPTR_TOFFS,
        )
        layer.require(x.bias is None and not (x.shift or x.relu or x.absolute or x.flatten_engine), Reg.POST)
    layer.require(not x.wide or not (x.relu or x.absolute), Reg.LCTL)
