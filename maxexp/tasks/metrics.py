"""The metrics of all tasks: those of the scores that each file of :mod:`maxexp.tasks.scores` declares."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from maxexp.base.metrics import Metric
from maxexp.tasks import scores
from maxexp.tasks.score import Score

SCORES: dict[str, tuple[Score, ...]] = {
    found.name: import_module(f"{scores.__name__}.{found.name}").SCORES for found in iter_modules(scores.__path__)
}
"""Scores by the name of their task."""

METRICS_OF: dict[str, tuple[Metric, ...]] = {
    task: tuple(metric for score in found for metric in score.metrics) for task, found in SCORES.items()
}
"""Metrics by the name of their task."""

METRICS: tuple[Metric, ...] = tuple(metric for found in METRICS_OF.values() for metric in found)

SELECTING: dict[str, Score] = {
    task: next(score for score in found if score.selects) for task, found in SCORES.items()
}
"""By the name of a task, the score by which its epochs, trials and tables choose."""


def selecting_score(params: Mapping[str, str]) -> Score:
    """The score by which a recorded run is judged.

    Args:
        params: of the run; one of before there were tasks was a classification.
    """
    return SELECTING.get(params.get("task.name", ""), SELECTING["classification"])


def refusal(key: str, task: str) -> str | None:
    """Returns the message for a metric that runs of a task do not have; None if they have it."""
    own = [metric.key for metric in METRICS_OF[task]]
    if key in own or key not in {metric.key for metric in METRICS}:
        return None
    group = key.partition("/")[0]
    return f"task={task} has none; it has {', '.join(name for name in own if name.startswith(f'{group}/'))}"
