"""The operations in the terms of the registers, by name; each is a module here, found by looking."""

from maxexp.base.registry import members
from maxexp.synthesis.native.operation import NativeOperation

NATIVE_OPERATIONS: dict[str, NativeOperation] = members(__name__, "OPERATION")
