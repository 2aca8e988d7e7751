"""maxexp: experiment tracking and hardware-aware sweeps for networks on the MAX78000.

Example:
    >>> import maxexp
    >>> net = maxexp.network("cmsisnnet", dataset="cifar10", width=0.5)
    >>> net.cost().latency_us
    1027.38
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maxexp.api.cost import Cost
    from maxexp.api.importing import from_onnx, from_torch
    from maxexp.api.loading import load
    from maxexp.api.model import Model
    from maxexp.api.network import Untrained, network
    from maxexp.api.prediction import Prediction
    from maxexp.api.training import Run, train
    from maxexp.base.errors import MaxexpError

__version__ = "0.2.0"
RESULTS_VERSION = 1
"""To be raised by whoever changes what a configuration of a study gives: its runs are then made anew."""

__all__ = [
    "Cost",
    "MaxexpError",
    "Model",
    "Prediction",
    "Run",
    "Untrained",
    "from_onnx",
    "from_torch",
    "load",
    "network",
    "train",
]

_HOMES = {
    "Cost": "maxexp.api.cost",
    "MaxexpError": "maxexp.base.errors",
    "Model": "maxexp.api.model",
    "Prediction": "maxexp.api.prediction",
    "Run": "maxexp.api.training",
    "Untrained": "maxexp.api.network",
    "from_onnx": "maxexp.api.importing",
    "from_torch": "maxexp.api.importing",
    "load": "maxexp.api.loading",
    "network": "maxexp.api.network",
    "train": "maxexp.api.training",
}
"""The modules of the public names, each imported when one of them is first used."""


class _Package(ModuleType):
    """This package: ``maxexp.network`` is the function, whichever of the room of that name is imported when."""

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system binds what it has imported within a package.
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'maxexp' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
