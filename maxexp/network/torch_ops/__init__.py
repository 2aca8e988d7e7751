"""The torch forms of the operations that have weights, by name; each is a module here, found by looking."""

from maxexp.base.registry import members
from maxexp.network.torch_operation import TorchOperation

TORCH_OPERATIONS: dict[str, TorchOperation] = members(__name__, "OPERATION")
