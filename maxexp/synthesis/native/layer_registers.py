"""All registers of a layer, in every quadrant that the network uses (docs/hardware.md, Registers)."""

from maxexp.chip.pooling import common_stride
from maxexp.network.config import Activation, Pool
from maxexp.synthesis.native.operations import NATIVE_OPERATIONS
from maxexp.synthesis.native.placed_layer import PlacedLayer
from maxexp.synthesis.native.registers import Register

Registers = dict[Register, int]

ALWAYS = 1 << 5 | 1 << 11
"""The layer is on, and writes to all data memories."""
POOLING, NOT_AVERAGE, RELU, WIDE = 1 << 7, 1 << 8, 1 << 9, 1 << 16
ABSOLUTE = 1 << 26
COMBINE, ADD = 1 << 13, 1 << 14


def layer_registers(x: PlacedLayer) -> dict[int, Registers]:
    """Values by quadrant and register; those that are 0 are left out, for the reset has written them."""
    operation = NATIVE_OPERATIONS[x.layer.op]
    common = _merged(_common(x), operation.common(x))
    return {
        quadrant: {r: value for r, value in _merged(common, operation.own(x, quadrant)).items() if value}
        for quadrant in x.quadrants
    }


def _common(x: PlacedLayer) -> Registers:
    """Returns what all operations have: input, element-wise sum, pooling, activation, where reading begins."""
    layer = x.layer
    rows, cols = NATIVE_OPERATIONS[layer.op].in_size(x)
    (high, wide), (top, left) = layer.pool_size, layer.padding
    pooled = layer.pool is not None
    return {
        Register.ROWS: rows - 1 + 2 * top | top << 16,
        Register.COLUMNS: cols - 1 + 2 * left | left << 16,
        Register.KERNEL_FORM: COMBINE | ADD | (layer.operands - 1) << 18 if layer.operands > 1 else 0,
        Register.POOL_ROWS: high - 1,
        Register.POOL_COLUMNS: wide - 1,
        Register.POOL_STRIDE: (common_stride(layer) or 1) - 1 if pooled else 0,
        Register.READ_START: x.read_word,
        Register.LAYER_CONTROL: ALWAYS
        | (POOLING if pooled else 0)
        | (NOT_AVERAGE if layer.pool is not Pool.avg else 0)
        | (RELU if layer.activation is Activation.relu else 0)
        | (WIDE if layer.wide else 0),
        Register.POST_PROCESSING: ABSOLUTE if layer.activation is Activation.abs else 0,
    }


def _merged(first: Registers, second: Registers) -> Registers:
    """Bits of both."""
    return {r: first.get(r, 0) | second.get(r, 0) for r in sorted({*first, *second})}
