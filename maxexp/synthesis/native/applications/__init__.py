"""Applications: what firmware does with a network, again and again. Each module is one of them."""

from maxexp.base.registry import members
from maxexp.synthesis.native.application import Application


def applications() -> dict[str, Application]:
    """Returns all applications by name, as ``board.application`` has it."""
    return members(__name__, "APPLICATION")
