"""The operations of the grammar by name; each is a module here, found by looking."""

from maxexp.base.registry import members
from maxexp.network.operation import Operation

OPERATIONS: dict[str, Operation] = members(__name__, "OPERATION")
