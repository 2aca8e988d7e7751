"""What a key of a configuration is to the result of a run; said where the key is declared.

Example:
    root: str | None = field(default=None, metadata=PLACE)
"""

from enum import Enum
from typing import Any


class Role(Enum):
    """The role of a key; :mod:`maxexp.schema.identity` says what follows from it."""

    result = "result"
    """Another value is another experiment. The role of every key that names none."""
    evidence = "evidence"
    """Chooses what backs the figures of the chip; the default asks for nothing, so that any other answers too."""
    rounding = "rounding"
    """Orders floating-point sums in another way: figures differ as they do between processors."""
    machine = "machine"
    """How a machine is used; no figure depends on it."""
    place = "place"
    """Where things are: folders, programs, boards, the store and a run in it."""


def _metadata(role: Role) -> dict[str, Any]:
    return {"role": role}


EVIDENCE, ROUNDING = _metadata(Role.evidence), _metadata(Role.rounding)
MACHINE, PLACE = _metadata(Role.machine), _metadata(Role.place)
