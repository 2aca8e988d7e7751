"""The metrics of the run record that a sweep improves."""

import logging
from collections.abc import Mapping
from math import isfinite

from maxexp.base.errors import ConfigError, MaxexpError
from maxexp.base.metrics import Need
from maxexp.quantization.config import Method
from maxexp.run.spec import RunSpec
from maxexp.run.stages.plan import planned_stages
from maxexp.schema.config import Config, Stage
from maxexp.sweep.search.config import Direction
from maxexp.sweep.search.limits import known_costs
from maxexp.tasks.metrics import refusal
from maxexp.tracking.metrics import MAIN, METRICS, listed, of_stage, unknown_metric

log = logging.getLogger(__name__)

TEST, VALIDATION = "test", "val"
"""Groups of metrics."""
_QUANTIZED = tuple(metric for metric in of_stage(Stage.quantize.name) if metric.group == VALIDATION)
"""Metrics of the validation images that are measured after the network was quantized."""


class ObjectiveError(MaxexpError):
    """A finished run without a usable value of an objective."""


def check_objectives(objectives: Mapping[str, Direction], config: Config, spec: RunSpec | None) -> None:
    """Refuses objectives that no trial of this configuration would have.

    Args:
        spec: of its run; None where there is none, as of a network that does not fit.

    Raises:
        ConfigError: an unknown metric, one whose stage does not run, one that network or device does not have, an
            accuracy that was measured before the network was quantized.
    """
    for name in objectives:
        if reason := _why_not(name, config) or (spec and _skipped(name, spec)):
            raise ConfigError(f"hydra.sweeper.objectives.{name}: {reason}")


def _why_not(name: str, config: Config) -> str | None:
    """Returns why a trial of this configuration has no such objective; None: it has."""
    method, metric = config.quantization.method, METRICS.get(name)
    if metric is None:
        return unknown_metric(name)
    if foreign := refusal(name, config.task.name.name):
        return foreign
    stage = Stage[metric.stage]
    if method is Method.ptq and metric.group == VALIDATION and stage is Stage.train:
        return (
            f"quantization=ptq quantizes the network after this was measured; choose by {listed(_QUANTIZED)} (null "
            f"takes {name} away), with quantize among stages"
        )
    if stage not in config.stages:
        return f"the stage {stage.name} writes it, and stages has only {', '.join(s.name for s in config.stages)}"
    if method is Method.float and Need.integers in metric.needs:
        return "quantization=float does not run on the chip"
    if Need.cycle_model in metric.needs and not config.device.part.cycles_known:
        return f"the timing of {config.device.name} is unknown; known are {listed(known_costs(config.device.part))}"
    return None


def _skipped(name: str, spec: RunSpec) -> str | None:
    """Returns why the stage that writes a metric does nothing in a run; None: it runs."""
    stage = METRICS[name].stage
    reasons = {planned.kind.stage.name: planned.skipped for planned in planned_stages(spec)}
    if reason := reasons[stage]:
        return f"the stage {stage} writes it, and is skipped with {reason}; choose another value"
    return None


def warn_of_test_split(objectives: Mapping[str, Direction]) -> None:
    """Warns where the test split would choose."""
    for name in objectives:
        if METRICS[name].group == TEST:
            log.warning(
                "objective %s chooses on the test split, so its winner looks better than it is; %s and %s choose on "
                "validation images",
                name,
                listed(metric for metric in MAIN if metric.group == VALIDATION),
                listed(_QUANTIZED),
            )


def objective_values(objectives: Mapping[str, Direction], metrics: Mapping[str, float]) -> list[float]:
    """The values of a finished run, in the order of the objectives.

    Raises:
        ObjectiveError: the run has no such metric, or it is no finite number.
    """
    values = []
    for name in objectives:
        if name not in metrics:
            raise ObjectiveError(f"the run has no metric {name}; it has {', '.join(sorted(metrics)) or 'none'}")
        if not isfinite(metrics[name]):
            raise ObjectiveError(f"{name} is {metrics[name]}")
        values.append(float(metrics[name]))
    return values
