"""The metrics of the run record that a sweep improves."""

import logging
from collections.abc import Mapping
from math import isfinite

from maxexp.config import Config, Stage
from maxexp.errors import ConfigError, MaxexpError
from maxexp.quantization.config import Method
from maxexp.sweep.config import Direction
from maxexp.sweep.limits import COSTS

log = logging.getLogger(__name__)

STAGES = {
    "train": Stage.train,
    "val": Stage.train,
    "test": Stage.evaluate,
    "hw": Stage.synthesize,
    "board": Stage.deploy,
}
"""Which stage writes the metrics of a group."""

QUANTIZED = "val/accuracy_integer"
"""The one metric of its group that the stage quantize writes: what is left of the accuracy in integers."""


class ObjectiveError(MaxexpError):
    """A finished run without a usable value of an objective."""


def check_objectives(objectives: Mapping[str, Direction], config: Config) -> None:
    """Refuse objectives that no trial of this configuration would have.

    Raises:
        ConfigError: a metric of an unknown group, one whose stage does not run, an unknown cost, an accuracy
            that was measured before the network was quantized.
    """
    method = config.quantization.method
    for name in objectives:
        group = name.partition("/")[0]
        stage = Stage.quantize if name == QUANTIZED else STAGES.get(group)
        if stage is None or "/" not in name:
            raise ConfigError(
                f"hydra.sweeper.objectives.{name}: no such metric; metrics begin with "
                f"{', '.join(f'{group}/' for group in STAGES)}"
            )
        if method is Method.ptq and group == "val" and name != QUANTIZED:
            raise ConfigError(
                f"hydra.sweeper.objectives.{name}: quantization=ptq quantizes the network after this was measured; "
                f"choose by {QUANTIZED} (null takes {name} away), with quantize among stages"
            )
        if stage not in config.stages:
            raise ConfigError(
                f"hydra.sweeper.objectives.{name}: the stage {stage.name} writes it, and stages has only "
                f"{', '.join(s.name for s in config.stages)}"
            )
        if stage is Stage.synthesize and name not in COSTS:
            raise ConfigError(f"hydra.sweeper.objectives.{name}: no such metric; there are {', '.join(COSTS)}")
        needs_chip = name == QUANTIZED or (stage is Stage.synthesize and name not in COSTS[:5])
        if needs_chip and method is Method.float:
            raise ConfigError(f"hydra.sweeper.objectives.{name}: quantization=float does not run on the chip")


def warn_of_test_split(objectives: Mapping[str, Direction]) -> None:
    """Say so where the test split chooses."""
    for name in objectives:
        if STAGES[name.partition("/")[0]] is Stage.evaluate:
            log.warning(
                "objective %s chooses on the test split, so its winner looks better than it is; val/best_accuracy "
                "and %s choose on validation images",
                name,
                QUANTIZED,
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
