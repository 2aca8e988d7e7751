"""The operations of the accelerator by name; each is a module here, found by looking."""

from maxexp.base.registry import members
from maxexp.chip.operation import ChipOperation

CHIP_OPERATIONS: dict[str, ChipOperation] = members(__name__, "OPERATION")
