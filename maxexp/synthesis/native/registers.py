"""The accelerator's layer registers by number (docs/hardware.md, Registers).

The emulator has a table of its own: that it understands what is written here is what the tests show.
"""

from enum import IntEnum

from maxexp.chip.part import WORD_BYTES, Part

FIRST_LAYER_REGISTER = 0x10
"""Bytes from a quadrant's control register to its first layer register."""


class Register(IntEnum):
    """What a layer register sets; one that is not written is 0."""

    ROWS = 0
    COLUMNS = 1
    KERNEL_FORM = 2
    POOL_ROWS = 3
    POOL_COLUMNS = 4
    POOL_STRIDE = 5
    WRITE_START = 6
    WRITE_SLOT_STEP = 7
    WRITE_INSTANCE_STEP = 8
    WRITE_PASS_STEP = 9
    READ_START = 10
    LAYER_CONTROL = 11
    KERNEL_RANGE = 12
    LINE_BUFFER = 13
    PROCESSORS = 14
    POST_PROCESSING = 15
    OUTPUT_STEPS = 20


def register_address(part: Part, quadrant: int, register: Register, layer: int) -> int:
    """Returns where a layer's register is."""
    number = register * part.limits.layers + layer
    return part.quadrant_address(quadrant) + FIRST_LAYER_REGISTER + WORD_BYTES * number
