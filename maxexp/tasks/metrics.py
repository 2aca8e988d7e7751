"""The metrics of all tasks: those of the scores that each file of :mod:`maxexp.tasks.scores` declares."""

from importlib import import_module
from pkgutil import iter_modules

from maxexp.base.metrics import Metric
from maxexp.tasks import scores


def _declared() -> tuple[Metric, ...]:
    modules = [import_module(f"{scores.__name__}.{found.name}") for found in iter_modules(scores.__path__)]
    return tuple(metric for module in modules for score in module.SCORES for metric in score.metrics)


METRICS = _declared()
