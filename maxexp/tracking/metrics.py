"""All metrics of the run record; what shows, limits or compares runs asks for them here."""

from collections.abc import Iterable, Mapping

from maxexp.base.metrics import Metric, Shown
from maxexp.board import metrics as board
from maxexp.chip import metrics as chip
from maxexp.tasks import metrics as tasks
from maxexp.training import metrics as training

GROUPS = ("test", "hw", "train", "val", "board")
"""In the order in which they are shown."""


def _by_key(declared: Iterable[Metric]) -> Mapping[str, Metric]:
    ordered = sorted(declared, key=lambda metric: GROUPS.index(metric.group))
    found = {metric.key: metric for metric in ordered}
    assert len(found) == len(ordered), "two metrics of one key"
    return found


METRICS = _by_key([*tasks.METRICS, *training.METRICS, *chip.METRICS, *board.METRICS])
"""All metrics by key."""

MAIN = tuple(metric for metric in METRICS.values() if metric.shown is Shown.main)
"""Those that one looks at first."""

RESULTS = (*MAIN, *(m for m in METRICS.values() if m.shown is Shown.result and not m.per_epoch))
"""What a finished run is judged by."""

TEST_RESULTS = tuple(metric for metric in RESULTS if metric.group == "test")
"""Results on the test images, by which nothing may be chosen."""

CURVES = tuple(metric for metric in METRICS.values() if metric.shown is Shown.result and metric.per_epoch)
"""What is drawn over the epochs of a training."""

CURVE_PANELS = {
    quantity: tuple(curve for curve in CURVES if curve.quantity == quantity)
    for quantity in dict.fromkeys(curve.quantity for curve in CURVES)
}
"""Curves of one quantity, of training and validation, which are drawn over each other."""


def of_stage(stage: str) -> tuple[Metric, ...]:
    """Returns what a stage records."""
    return tuple(metric for metric in METRICS.values() if metric.stage == stage)


def listed(metrics: Iterable[Metric]) -> str:
    """Returns the keys of metrics, for a message."""
    return ", ".join(metric.key for metric in metrics)


def unknown_metric(key: str) -> str:
    """Returns the message for an unknown key: the metrics of its group, as ``val/``, else
    all."""
    group = key.partition("/")[0]
    alike = [metric for metric in METRICS.values() if metric.group == group]
    return f"no such metric; there are {listed(alike or METRICS.values())}"
